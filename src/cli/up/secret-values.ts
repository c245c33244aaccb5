import { readFile } from 'node:fs/promises'

import type { StackValues } from '#api/glovebox'
import { messageOf } from '#base'
import type { SecretValues } from '#cluster/spec'

import { cliError } from '../errors.ts'

/** The values themselves, to be sent beside the model. Undefined: there are none. Errors: `cli.not_found`, which names the secret and not its value. */
export async function readValues({ secrets, configs }: SecretValues): Promise<StackValues | undefined> {
  if (Object.keys(secrets).length + Object.keys(configs).length === 0) return undefined
  return { secrets: await readAll('secret', secrets), configs: await readAll('config', configs) }
}

async function readAll(kind: string, sources: SecretValues['secrets']): Promise<Readonly<Record<string, string>>> {
  const read = Object.entries(sources).map(async ([key, source]) => {
    const value = source.type === 'file' ? await bytesOf(kind, key, source.path) : Buffer.from(source.text ?? '')
    return [key, value.toString('base64')] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

async function bytesOf(kind: string, key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw cliError('cli.not_found', `${kind} ${key}: read ${path}: ${messageOf(error)}`, { cause: error })
  }
}
