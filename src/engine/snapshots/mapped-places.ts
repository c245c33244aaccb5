import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Host } from '#host'

import { TEMPORARY, type SnapshotPaths } from './paths.ts'

/** Copies of mounts in which owners go through the mapping of a user namespace. Without one: the places themselves. */
export interface MappedPlaces extends Disposable {
  /** Read-only, in the same order. */
  lowers(places: readonly string[]): readonly string[]
  own(place: string): string
}

interface Needs {
  readonly paths: SnapshotPaths
  readonly host: Pick<Host, 'mounts'>
}

/** `mappingOf`: a process in that user namespace. Disposing takes the copies away; what was made of them keeps them. */
export function mappedPlaces({ paths, host }: Needs, mappingOf: number | undefined): MappedPlaces {
  if (mappingOf === undefined) return { lowers: (places) => places, own: (place) => place, [Symbol.dispose]: () => undefined }
  const undo = new DisposableStack()
  // Recovery unmounts and removes what is below such a name.
  const directory = mkdtempSync(join(paths.containers, `${TEMPORARY}map-`))
  undo.defer(() => rmdirSync(directory))
  let count = 0
  const map = (source: string, readOnly: boolean) => {
    const target = join(directory, (count++).toString(36))
    mkdirSync(target)
    undo.defer(() => rmdirSync(target))
    host.mounts.idmapped({ source, target, readOnly, mappingOf })
    undo.defer(() => host.mounts.unmount(target, { lazy: true }))
    return target
  }
  return {
    lowers: (places) => places.map((place) => map(place, true)),
    own: (place) => map(place, false),
    [Symbol.dispose]: () => undo.dispose(),
  }
}
