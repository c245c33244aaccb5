import { resolve } from 'node:path'

import type { ReadContext } from './context.ts'

/** A path of the file as an absolute one: `~` is the user's home, `.` the project directory. */
export function hostPath(context: Pick<ReadContext, 'directory' | 'lookup'>, path: string): string {
  if (path === '~' || path.startsWith('~/')) return resolve(context.lookup('HOME') ?? '/', path.slice(2))
  return resolve(context.directory, path)
}

/** In a short volume, a path is told from a name by how it starts. */
export function looksLikePath(source: string): boolean {
  return /^(?:\/|\.|~)/.test(source)
}
