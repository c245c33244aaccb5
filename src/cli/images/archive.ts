import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { messageOf } from '#base'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** A file, or the standard input for `-` and when no file is named. */
export async function openArchive(path: string | undefined, context: CliContext): Promise<Readable> {
  if (path === undefined || path === '-') {
    if (context.terminal.stdin.isTTY) throw cliError('cli.usage', 'no archive: name a file, or pipe one in')
    return context.terminal.stdin
  }
  const file = resolve(context.cwd, path)
  const stats = await stat(file).catch((error: unknown) => {
    throw cliError('cli.failed', `cannot read ${file}: ${messageOf(error)}`, { cause: error })
  })
  if (stats.isDirectory()) throw cliError('cli.usage', `${file} is a directory, not an archive`)
  return createReadStream(file)
}

/** Writes to a file that appears only when it is whole, or to the standard output. */
export async function writeArchive(source: Readable, path: string | undefined, context: CliContext): Promise<void> {
  const { stdout } = context.terminal
  if (path === undefined) {
    if (stdout.isTty)
      throw cliError('cli.usage', 'an archive does not belong on a terminal', { hint: 'Name a file with --output.' })
    for await (const chunk of source as AsyncIterable<Buffer>) if (!stdout.write(chunk)) await stdout.drained?.()
    return
  }
  const file = resolve(context.cwd, path)
  const half = `${file}.${process.pid}.part`
  try {
    await pipeline(source, createWriteStream(half, { flags: 'wx' }))
    await rename(half, file)
  } catch (error) {
    await rm(half, { force: true })
    throw cliError('cli.failed', `write ${file}: ${messageOf(error)}`, { cause: error })
  }
}
