import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { messageOf } from '#base'

import { cliError } from '../errors.ts'

/**
 * Unpacks an archive that was written by whoever is in a container or a build. tar(1) of Debian keeps to the directory: it makes links that lead out only at
 * the end, and takes no name that climbs.
 */
export async function extract(archive: Readable, directory: string, keepOwners: boolean): Promise<void> {
  const words = ['-x', '-f', '-', '-C', directory, keepOwners ? '--same-owner' : '--no-same-owner', '--same-permissions']
  const child = spawn('tar', words, { stdio: ['pipe', 'ignore', 'pipe'] })
  const complaint: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk))
  const ended = new Promise<number | null>((resolveCode, reject) => {
    child.once('error', reject)
    child.once('close', resolveCode)
  })
  const [sent, code] = await Promise.all([
    pipeline(archive, child.stdin).then(
      () => null,
      (error: unknown) => error,
    ),
    ended,
  ])
  const text = Buffer.concat(complaint).toString().trim()
  if (code !== 0) throw cliError('cli.failed', `unpack in ${directory}: ${text || `tar ended with exit code ${code}`}`)
  if (sent !== null) throw cliError('cli.failed', `the copy was cut off: ${messageOf(sent)}`, { cause: sent })
}
