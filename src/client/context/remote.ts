import { cleanPath } from '#oci/patterns'

import type { BuildSource } from './source.ts'

/** A repository, an archive or a Dockerfile elsewhere, which the daemon fetches. A Dockerfile is named inside of it, or given as a text. */
export function remoteSource(
  address: string,
  dockerfile: { readonly path: string } | { readonly text: string; readonly shown: string } | undefined,
): BuildSource {
  const given = dockerfile !== undefined && 'text' in dockerfile ? dockerfile : undefined
  const named = dockerfile !== undefined && 'path' in dockerfile ? dockerfile.path : 'Dockerfile'
  const path = given === undefined ? cleanPath(`/${named}`).slice(1) : 'Dockerfile'
  return {
    key: address,
    address,
    dockerfile: { path, shown: given?.shown ?? path, text: given?.text ?? '' },
    list: async () => await Promise.resolve([]),
    read: () => [],
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  }
}

/** Whether a context is an address, and not a directory here. */
export function isAddress(place: string): boolean {
  return /^(?:https?|git|ssh):\/\//i.test(place) || /^github\.com\/[^/]|^[a-zA-Z0-9_.-]+@[a-zA-Z0-9_.-]+:[^:/]/.test(place)
}
