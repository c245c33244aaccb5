import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Readable, Transform } from 'node:stream'

import { systemCodeOf } from '#base'

import type { CliContext } from '../command.ts'
import { decimalSize } from '../output/human.ts'
import { bar, type Progress } from '../output/progress.ts'

/** The same bytes, with a bar of how many of them were sent; without a file there is no total, and the count alone is shown. */
export async function countedArchive(
  archive: Readable,
  file: string | undefined,
  show: Progress,
  context: CliContext,
): Promise<Readable> {
  const total = file === undefined || file === '-' ? 0 : await sizeOf(resolve(context.cwd, file))
  let sent = 0
  const counting = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      sent += chunk.length
      show.update('archive', 'sending', `${bar(sent, total)} ${decimalSize(sent)}`.trim())
      done(null, chunk)
    },
    flush: (done) => {
      show.update('archive', 'sent', decimalSize(sent))
      done()
    },
  })
  archive.on('error', (error) => counting.destroy(error))
  return archive.pipe(counting)
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    // It is open already, so it can still be read: only its size is not known.
    if (systemCodeOf(error) !== undefined) return 0
    throw error
  }
}
