import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, systemCodeOf } from '#base'
import { parseReference } from '#oci/reference'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** How the default registry is called in the files of `docker login`. */
const DEFAULT_KEY = 'https://index.docker.io/v1/'

interface DockerConfig {
  readonly auths?: Readonly<
    Record<string, { readonly auth?: string; readonly identitytoken?: string; readonly registrytoken?: string }>
  >
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

/** What `docker login` has kept for the registry of an image, as the daemon takes it; undefined when there is nothing. Errors: `cli.failed`. */
export async function registryAuth(image: string, context: CliContext): Promise<string | undefined> {
  const { registry } = parseReference(image)
  const key = registry === 'docker.io' ? DEFAULT_KEY : registry
  const config = await readConfig(context)
  const program = config.credHelpers?.[key] ?? config.credsStore
  const found = program === undefined ? config.auths?.[key] : await askHelper(program, key)
  if (found === undefined || Object.keys(found).length === 0) return undefined
  return Buffer.from(JSON.stringify({ ...found, serveraddress: key })).toString('base64url')
}

async function readConfig({ env }: CliContext): Promise<DockerConfig> {
  const path = join(env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? '/root', '.docker'), 'config.json')
  try {
    return JSON.parse(await readFile(path, 'utf8')) as DockerConfig
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return {}
    throw cliError('cli.failed', `read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Names of programs only: the file must not be able to name any other. */
const HELPER = /^[A-Za-z0-9._-]+$/
const NOT_FOUND = /credentials not found/i

/** The protocol of docker-credential-helpers: the address on the standard input, JSON or a sentence as the answer. */
async function askHelper(program: string, key: string): Promise<Readonly<Record<string, string>> | undefined> {
  if (!HELPER.test(program)) throw cliError('cli.failed', `${JSON.stringify(program)} is no name of a credential helper`)
  const command = `docker-credential-${program}`
  const child = spawn(command, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  let text = ''
  child.on('error', (error) => reject(cliError('cli.failed', `${command}: ${messageOf(error)}`, { cause: error })))
  child.on('close', resolve)
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  child.stdin.on('error', () => undefined)
  child.stdin.end(key)
  const code = await promise
  if (code !== 0) {
    if (NOT_FOUND.test(text)) return undefined
    throw cliError('cli.failed', `${command} ended with exit code ${code}: ${text.trim().slice(0, 300)}`)
  }
  const { Username = '', Secret = '' } = JSON.parse(text) as { readonly Username?: string; readonly Secret?: string }
  // Stores mark identity tokens by this name.
  return Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret }
}
