import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { messageOf } from '#base'

import { extract } from '../copy/extract.ts'
import { cliError } from '../errors.ts'
import type { Sink } from '../output/terminal.ts'
import type { OutputChoice } from './outputs.ts'

/** Puts what a build gives where it was wanted: unpacked in a directory, in a file that is there whole or not at all, or on a stream. */
export async function deliver(source: Readable, { output, dest }: OutputChoice, cwd: string, stdout: Sink): Promise<void> {
  if (dest === null) return
  if (dest === '-') {
    for await (const chunk of source as AsyncIterable<Buffer>) if (!stdout.write(chunk)) await stdout.drained?.()
    return
  }
  const path = resolve(cwd, dest)
  try {
    if (output.type === 'local') {
      await mkdir(path, { recursive: true })
      await extract(source, path, false)
      return
    }
    await mkdir(dirname(path), { recursive: true })
    await writeWhole(source, path)
  } catch (error) {
    source.destroy()
    throw cliError('cli.failed', `write ${path}: ${messageOf(error)}`, { cause: error })
  }
}

async function writeWhole(source: Readable, path: string): Promise<void> {
  const beside = `${path}.incomplete`
  try {
    await pipeline(source, createWriteStream(beside, { flush: true }))
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}
