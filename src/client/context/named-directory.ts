import { hostname } from 'node:os'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { type Clock, messageOf, systemCodeOf } from '#base'
import { ignoreRules, parseIgnoreFile } from '#oci/patterns'

import { clientError } from '../errors.ts'
import { readListed } from './read-file.ts'
import { scanTree } from './scan.ts'
import type { BuildSource } from './source.ts'

/** A directory that a build sees under a name, beside its context. */
export interface NamedDirectory {
  readonly files: Pick<BuildSource, 'key' | 'list' | 'read'>
  /** null: its files are meant. Else it is an OCI layout, and this the tag or digest in it. */
  readonly layout: string | null
}

/** What `.dockerignore` leaves of a directory; an OCI layout is taken whole. Errors: `client.bad_context`. */
export function namedDirectory(path: string, layout: string | null, clock: Pick<Clock, 'nowMs'>): NamedDirectory {
  const absolute = resolve(path)
  return {
    layout,
    files: {
      // Not the key of the same directory as the context of a build: there other files may be left out.
      key: `${hostname()}:${absolute}:${layout === null ? 'named' : 'layout'}`,
      list: async () => {
        const root = await directoryAt(absolute)
        const rules = ignoreRules(layout === null ? parseIgnoreFile(await ignoreText(join(root, '.dockerignore'))) : [])
        return scanTree(root, { rules, isAlwaysIn: () => false, nowMs: clock.nowMs() })
      },
      read: (entry) => readListed(absolute, entry),
    },
  }
}

async function directoryAt(path: string): Promise<string> {
  try {
    const root = await realpath(path)
    if ((await stat(root)).isDirectory()) return root
  } catch (error) {
    throw clientError('client.bad_context', `look at the build context ${path}: ${systemCodeOf(error) ?? messageOf(error)}`, {
      cause: error,
    })
  }
  throw clientError('client.bad_context', `the build context ${path} is not a directory`)
}

async function ignoreText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return ''
    throw clientError('client.bad_context', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
}
