import type { LayerForm } from '../outputs/output.ts'

/** Where results of former builds are fetched from: an image or a cache in a registry, or an OCI layout in a directory of this machine. */
export type CacheSource =
  /** `isOptional`: nothing is said when it is not there or holds no cache. */
  | { readonly kind: 'registry'; readonly reference: string; readonly isOptional?: boolean }
  | { readonly kind: 'local'; readonly path: string }

/** `min`: what is in the image; `max`: the steps of all stages. */
export type CacheTarget =
  | (CacheSource & { readonly mode: 'min' | 'max'; readonly form: LayerForm })
  /** Within the image that is pushed or written as an OCI layout; what is not in the image is not kept. */
  | { readonly kind: 'inline' }

export function cacheText(place: CacheSource): string {
  return place.kind === 'registry' ? place.reference : place.path
}
