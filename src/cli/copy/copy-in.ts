import { stat } from 'node:fs/promises'
import { basename, posix, resolve } from 'node:path'
import { Readable } from 'node:stream'

import { messageOf } from '#base'
import type { Client } from '#client'
import { packTar } from '#oci/tar'

import { cliError } from '../errors.ts'
import { lookAt } from './look-at.ts'
import { treeMembers } from './pack-tree.ts'
import { meansContent, meansDirectory } from './place.ts'

export interface CopyIn {
  readonly source: string
  readonly container: string
  readonly path: string
  readonly followLink: boolean
  readonly isArchive: boolean
}

/** Files of this machine into a container: below a directory that is there, else under a new name. */
export async function copyIn(client: Client, copy: CopyIn): Promise<void> {
  const { container, isArchive } = copy
  const source = resolve(copy.source)
  const stats = await stat(source).catch((error: unknown) => {
    throw cliError('cli.failed', `look at ${source}: ${messageOf(error)}`, { cause: error })
  })
  const link = await lookAt(client, container, copy.path)
  const there = link === undefined || link.linkTarget === '' ? link : await lookAt(client, container, link.linkTarget)
  if (there?.isDirectory === false && stats.isDirectory())
    throw cliError('cli.usage', `${copy.path} is a file in ${container}, and ${copy.source} a directory`)
  if (there === undefined && meansDirectory(copy.path) && !stats.isDirectory())
    throw cliError('cli.usage', `${copy.path} does not exist in ${container}`, { hint: 'Make the directory first.' })
  const bare = copy.path.replace(/\/+$/, '')
  const isInto = there?.isDirectory === true
  const name = isInto ? (meansContent(copy.source) ? '' : basename(source)) : posix.basename(bare)
  const members = treeMembers({ path: source, name, followLink: copy.followLink || meansDirectory(copy.source) })
  const tar = Readable.from(packTar(members), { objectMode: false })
  await client.containers.writePath(container, isInto ? copy.path : posix.dirname(posix.join('/', bare)), tar, {
    noOverwriteDirNonDir: true,
    copyUIDGID: isArchive || undefined,
  })
}
