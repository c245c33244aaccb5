import { resolve } from 'node:path'

import type { Origin } from './source-node.ts'

/** A path of a file as an absolute one: `~` is the user's home, and a relative one starts where the file that says it has its base. */
export function hostPath({ directory, lookup }: Omit<Origin, 'file'>, path: string): string {
  if (path === '~' || path.startsWith('~/')) return resolve(lookup('HOME') ?? '/', path.slice(2))
  return resolve(directory, path)
}

/** In a short volume, a path is told from a name by how it starts. */
export function looksLikePath(source: string): boolean {
  return /^(?:\/|\.|~)/.test(source)
}
