import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'

import { messageOf } from '#base'

import type { CliContext } from '../command.ts'
import { ask } from '../credentials/ask.ts'
import { cliError } from '../errors.ts'

/** More than the daemon takes, so that it is the one to say how much may be. */
const MAX_BYTES = 1024 * 1024

/** The bytes of a file or of the standard input, all of them as they are; from a terminal, a line that is not shown. Errors: `cli.failed`, `cli.usage`. */
export async function readValue(file: string | undefined, question: string, context: CliContext): Promise<Buffer> {
  if (file !== undefined && file !== '-') return await readFileValue(resolve(context.cwd, file))
  const { stdin } = context.terminal
  if (stdin.isTTY) return Buffer.from(await ask(question, true, context))
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BYTES) throw tooLarge('the standard input')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function readFileValue(path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > MAX_BYTES) throw tooLarge(path)
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'kind' in error) throw error
    throw cliError('cli.failed', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

function tooLarge(what: string) {
  return cliError('cli.usage', `${what} has more than ${MAX_BYTES} bytes`, { hint: 'Large files belong on a volume.' })
}
