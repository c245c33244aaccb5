import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { promisify } from 'node:util'

import { during } from '#base'
import { buildError } from '#engine/builder'

import type { SeedDirectory } from './cache-directories.ts'
import { openTree, type TreeNeeds } from './mounted-trees.ts'

const execute = promisify(execFile)

/** Copies a directory of layers with all that files carry. Links are copied and never followed. Error: `build.copy_failed`. */
export function seedCache(needs: TreeNeeds): SeedDirectory {
  return async (seed, path) => {
    await using undo = new AsyncDisposableStack()
    const source = openTree(needs, { ...seed, isWritable: false }, undo)
    if (!statSync(source).isDirectory())
      throw buildError('build.copy_failed', `the cache cannot begin with /${seed.path}, which is no directory`)
    try {
      await execute('cp', ['--archive', '--reflink=auto', '--', `${source}/.`, path])
    } catch (error) {
      throw during(`fill the cache from /${seed.path}`, error)
    }
  }
}
