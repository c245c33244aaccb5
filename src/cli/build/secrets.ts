import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { messageOf, systemCodeOf } from '#base'

import { cliError } from '../errors.ts'

/** Where a secret of a build comes from. */
export interface SecretChoice {
  readonly id: string
  /** A file, relative to where the command runs. */
  readonly file?: string
  /** A variable of our environment. */
  readonly variable?: string
}

export interface Surroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** As the daemon bounds all options of a build together; base64 takes a third more. */
const MAX_SECRET_BYTES = 500 * 1024

/** `id=NAME,src=FILE`, `id=NAME,env=VARIABLE`; with `id` alone the variable of that name, else the file. Error: `cli.usage`. */
export function secretChoice(word: string): SecretChoice {
  const known = new Map<string, string>()
  for (const part of word.split(',')) {
    const at = part.indexOf('=')
    const name = (at === -1 ? part : part.slice(0, at)).trim().toLowerCase()
    if (at === -1 || !['id', 'src', 'source', 'env', 'type'].includes(name))
      throw cliError('cli.usage', `--secret: ${JSON.stringify(part)} in ${JSON.stringify(word)} is none of id=, src= and env=`)
    known.set(name === 'source' ? 'src' : name, part.slice(at + 1))
  }
  const [type, src, env] = [known.get('type') ?? '', known.get('src'), known.get('env')]
  const id = known.get('id') ?? src ?? env
  if (id === undefined || id === '') throw cliError('cli.usage', `--secret: ${JSON.stringify(word)} has no id`)
  if (!['', 'file', 'env'].includes(type))
    throw cliError('cli.usage', `--secret: type ${JSON.stringify(type)} is neither file nor env`)
  if (src !== undefined && env !== undefined)
    throw cliError('cli.usage', `--secret: ${JSON.stringify(word)} has both src and env`)
  // `type=env,src=NAME` is an older way to write env=NAME.
  if (type === 'env') return { id, variable: env ?? src ?? id }
  return { id, ...(src === undefined ? {} : { file: src }), ...(env === undefined ? {} : { variable: env }) }
}

/** Reads secrets, in base64 by id. Errors: `cli.not_found`, `cli.failed`. */
export function readSecrets(choices: readonly SecretChoice[], surroundings: Surroundings): Readonly<Record<string, string>> {
  return Object.fromEntries(choices.map((choice) => [choice.id, readSecret(choice, surroundings).toString('base64')]))
}

function readSecret({ id, file, variable }: SecretChoice, { cwd, env }: Surroundings): Buffer {
  const name = variable ?? (file === undefined && env[id] !== undefined ? id : undefined)
  if (name !== undefined) {
    const value = env[name]
    if (value === undefined) throw cliError('cli.not_found', `secret ${id}: the variable ${name} is not set`)
    return bounded(id, Buffer.from(value))
  }
  const path = resolve(cwd, file ?? id)
  try {
    return bounded(id, readFileSync(path))
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    throw cliError(systemCodeOf(error) === 'ENOENT' ? 'cli.not_found' : 'cli.failed', `secret ${id}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function bounded(id: string, bytes: Buffer): Buffer {
  if (bytes.length <= MAX_SECRET_BYTES) return bytes
  throw cliError('cli.failed', `secret ${id}: it has ${bytes.length} bytes, more than ${MAX_SECRET_BYTES}`)
}

/** `default`, `default=SOCKET`, `NAME=SOCKET`: sockets of SSH agents by id. Keys are not read from files. Errors: `cli.usage`, `cli.not_found`. */
export function sshAgents(words: readonly string[], { cwd, env }: Surroundings): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      const id = (at === -1 ? word : word.slice(0, at)) || 'default'
      const given = at === -1 ? undefined : word.slice(at + 1)
      if (given?.includes(',') === true)
        throw cliError('cli.usage', `--ssh: ${JSON.stringify(word)} names several files`, {
          hint: 'Add keys to an agent with ssh-add.',
        })
      const path = given ?? env['SSH_AUTH_SOCK']
      if (path === undefined || path === '')
        throw cliError('cli.not_found', `--ssh ${word}: there is no SSH agent: SSH_AUTH_SOCK is not set`, {
          hint: 'Start one with ssh-agent and add a key with ssh-add.',
        })
      return [id, resolve(cwd, path)]
    }),
  )
}
