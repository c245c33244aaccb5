import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { IgnoreRules } from '#oci/patterns'

export interface ContextEntry {
  /** Relative to the context root, with `/`. */
  readonly path: string
  readonly stats: Stats
}

/**
 * The files of a build context in a fixed order, directories before what is in them, without what the rules leave out.
 * Sockets are passed over: they mean nothing in an image.
 */
export async function* walkContext(
  root: string,
  rules: IgnoreRules,
  isAlwaysIn: (path: string) => boolean,
): AsyncGenerator<ContextEntry> {
  // A stack of its own: the depth of a tree is not ours to bound by the call stack.
  const stack: string[] = ['']
  while (stack.length > 0) {
    const path = stack.pop() ?? ''
    const isIgnored = path !== '' && rules.isIgnored(path) && !isAlwaysIn(path)
    if (path !== '' && isIgnored && rules.canSkipDirectory(path)) continue
    const stats = await lstat(join(root, path))
    if (path !== '' && !isIgnored && !stats.isSocket()) yield { path, stats }
    if (!stats.isDirectory()) continue
    const names = await readdir(join(root, path))
    for (const name of names.toSorted().toReversed()) stack.push(path === '' ? name : `${path}/${name}`)
  }
}
