import { chmod, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'

import { messageOf, systemCodeOf } from '#base'
import type { Client } from '#client'

import { cliError } from '../errors.ts'
import { extract } from './extract.ts'
import { lookAt } from './look-at.ts'
import { meansContent, meansDirectory } from './place.ts'

export interface CopyOut {
  readonly container: string
  readonly path: string
  readonly target: string
  readonly followLink: boolean
  readonly keepOwners: boolean
}

const FULL_MODE = 0o755

/** Files of a container to this machine. A new name is taken in one step, when all is there. */
export async function copyOut(client: Client, copy: CopyOut): Promise<void> {
  const { container } = copy
  const first = await lookAt(client, container, copy.path)
  if (first === undefined) throw cliError('cli.not_found', `${copy.path} does not exist in ${container}`)
  const path = copy.followLink && first.linkTarget !== '' ? first.linkTarget : copy.path
  const target = resolve(copy.target)
  const found = await stat(target).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw cliError('cli.failed', `look at ${target}: ${messageOf(error)}`, { cause: error })
  })
  if (found === undefined && meansDirectory(copy.target) && !first.isDirectory)
    throw cliError('cli.usage', `${copy.target} does not exist`, { hint: 'Make the directory first.' })
  if (found?.isDirectory() === false && first.isDirectory)
    throw cliError('cli.usage', `${copy.target} is a file, and ${path} a directory`)
  const archive = await client.containers.readPath(container, path)
  if (found?.isDirectory() === true) return await extract(archive, target, copy.keepOwners)
  await extractAs(archive, meansContent(path) ? '.' : basename(path), target, copy.keepOwners)
}

async function extractAs(archive: Readable, name: string, target: string, keepOwners: boolean): Promise<void> {
  const beside = await mkdtemp(join(dirname(target), '.copy-')).catch((error: unknown) => {
    archive.destroy()
    throw cliError('cli.failed', `write in ${dirname(target)}: ${messageOf(error)}`, { cause: error })
  })
  try {
    await extract(archive, beside, keepOwners)
    if (name === '.' || name === '') await chmod(beside, FULL_MODE)
    await rename(join(beside, name), target)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}
