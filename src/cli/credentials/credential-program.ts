import { spawn } from 'node:child_process'

import { messageOf } from '#base'

import { cliError } from '../errors.ts'

/** Names of programs only: the file must not be able to name any other. */
const NAME = /^[A-Za-z0-9._-]+$/
const NOT_FOUND = /credentials not found/i
/** A token is a few kilobytes. */
const MAX_ANSWER_CHARS = 1024 * 1024

export interface HelperCredentials {
  readonly username: string
  readonly secret: string
}

/** The protocol of docker-credential-helpers: the address on the standard input, JSON or a sentence as the answer. Errors: `cli.failed`. */
export async function helperGet(name: string, server: string): Promise<HelperCredentials | undefined> {
  const { code, text } = await runHelper(name, 'get', server)
  if (code !== 0) {
    if (NOT_FOUND.test(text)) return undefined
    throw failure(name, 'get', code, text)
  }
  const { Username = '', Secret = '' } = parse(name, text)
  return { username: Username, secret: Secret }
}

export async function helperStore(name: string, server: string, credentials: HelperCredentials): Promise<void> {
  const words = { ServerURL: server, Username: credentials.username, Secret: credentials.secret }
  const { code, text } = await runHelper(name, 'store', JSON.stringify(words))
  if (code !== 0) throw failure(name, 'store', code, text)
}

export async function helperErase(name: string, server: string): Promise<void> {
  const { code, text } = await runHelper(name, 'erase', server)
  if (code !== 0 && !NOT_FOUND.test(text)) throw failure(name, 'erase', code, text)
}

function parse(name: string, text: string): { readonly Username?: string; readonly Secret?: string } {
  try {
    return JSON.parse(text) as { readonly Username?: string; readonly Secret?: string }
  } catch (error) {
    // Not its words: they may hold the secret.
    throw cliError('cli.failed', `docker-credential-${name} get: the answer is not JSON`, { cause: error })
  }
}

function failure(name: string, verb: string, code: number | null, text: string): Error {
  return cliError('cli.failed', `docker-credential-${name} ${verb} ended with exit code ${code}: ${text.trim().slice(0, 300)}`)
}

async function runHelper(
  name: string,
  verb: string,
  input: string,
): Promise<{ readonly code: number | null; readonly text: string }> {
  if (!NAME.test(name)) throw cliError('cli.failed', `${JSON.stringify(name)} is no name of a credential helper`)
  const command = `docker-credential-${name}`
  const child = spawn(command, [verb], { stdio: ['pipe', 'pipe', 'ignore'] })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  let text = ''
  child.on('error', (error) =>
    reject(
      cliError('cli.failed', `${command}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Install it, or take its name out of config.json of docker.',
      }),
    ),
  )
  child.on('close', resolve)
  child.stdout.on('data', (chunk: Buffer) => (text += text.length < MAX_ANSWER_CHARS ? chunk.toString('utf8') : ''))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return { code: await promise, text }
}
