import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { messageOf, systemCodeOf } from '#base'

import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** The part of docker's config.json that is about registries. The file is shared with the docker CLI: what else is in it stays as it is. */
export interface CredentialConfig {
  readonly auths?: Readonly<Record<string, StoredAuth>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

export interface StoredAuth {
  /** base64 of `name:password`. */
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

export function configPath({ env, configDir }: Pick<CliContext, 'env' | 'configDir'>): string {
  return join(configDir ?? (env['DOCKER_CONFIG'] || join(env['HOME'] ?? '/root', '.docker')), 'config.json')
}

/** An absent file is an empty one. Errors: `cli.failed`. */
export async function readConfig(context: Pick<CliContext, 'env' | 'configDir'>): Promise<CredentialConfig> {
  const path = configPath(context)
  try {
    return JSON.parse(await readFile(path, 'utf8')) as CredentialConfig
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return {}
    throw cliError('cli.failed', `read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Changes the stored credentials; readable by nobody else, and whole at any moment. Errors: `cli.failed`. */
export async function changeAuths(
  context: CliContext,
  change: (auths: Readonly<Record<string, StoredAuth>>) => Readonly<Record<string, StoredAuth>>,
): Promise<void> {
  const path = configPath(context)
  const config = await readConfig(context)
  const text = `${JSON.stringify({ ...config, auths: change(config.auths ?? {}) }, null, '\t')}\n`
  const temporary = `${path}.${process.pid}.part`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw cliError('cli.failed', `write ${path}: ${messageOf(error)}`, { cause: error })
  }
}
