import type { CliContext } from '../command.ts'
import { changeAuths, configPath, type CredentialConfig, readConfig } from './config-file.ts'
import { helperErase, helperGet, helperStore } from './credential-program.ts'

/** How the default registry is called in docker's config.json. */
export const DEFAULT_SERVER = 'https://index.docker.io/v1/'
/** Stores mark identity tokens by this name. */
const TOKEN_USER = '<token>'

export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identitytoken: string }
  | { readonly registrytoken: string }

/** The key of a registry: `https://host/v2/` and `host` are one, and the default registry has its old name. */
export function serverKey(server: string | undefined): string {
  if (server === undefined || ['docker.io', 'index.docker.io', 'registry-1.docker.io', DEFAULT_SERVER].includes(server))
    return DEFAULT_SERVER
  const host = server.replace(/^https?:\/\//, '').split('/')[0] ?? ''
  return host === 'docker.io' || host === 'index.docker.io' ? DEFAULT_SERVER : host
}

export async function storedCredentials(key: string, context: CliContext): Promise<Credentials | undefined> {
  const config = await readConfig(context)
  const helper = helperOf(config, key)
  if (helper !== undefined) {
    const found = await helperGet(helper, key)
    if (found === undefined) return undefined
    return found.username === TOKEN_USER ? { identitytoken: found.secret } : { username: found.username, password: found.secret }
  }
  // Other programs wrote the address in full.
  const stored = config.auths?.[key] ?? config.auths?.[`https://${key}`] ?? config.auths?.[`https://${key}/v2/`]
  if (stored?.identitytoken !== undefined && stored.identitytoken !== '') return { identitytoken: stored.identitytoken }
  if (stored?.registrytoken !== undefined && stored.registrytoken !== '') return { registrytoken: stored.registrytoken }
  if (stored?.auth === undefined || stored.auth === '') return undefined
  const text = Buffer.from(stored.auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** The registries that credentials are kept for, as images name them. */
export async function knownServers(context: CliContext): Promise<readonly string[]> {
  const { auths = {}, credHelpers = {} } = await readConfig(context)
  const keys = [...Object.keys(auths), ...Object.keys(credHelpers)].map(serverKey)
  return [...new Set(keys.map((key) => (key === DEFAULT_SERVER ? 'docker.io' : key)))]
}

/** Where they were kept: the helper's name, or undefined and the path of the file. */
export async function storeCredentials(
  key: string,
  credentials: { readonly username: string; readonly password: string; readonly identityToken: string },
  context: CliContext,
): Promise<{ readonly helper: string } | { readonly file: string }> {
  const { username, password, identityToken } = credentials
  const helper = helperOf(await readConfig(context), key)
  if (helper !== undefined) {
    const words = identityToken === '' ? { username, secret: password } : { username: TOKEN_USER, secret: identityToken }
    await helperStore(helper, key, words)
    // An entry without secrets tells other programs which registries there are, as docker's own does.
    await changeAuths(context, (auths) => ({ ...auths, [key]: {} }))
    return { helper }
  }
  const auth = Buffer.from(`${username}:${identityToken === '' ? password : ''}`).toString('base64')
  const entry = identityToken === '' ? { auth } : { auth, identitytoken: identityToken }
  await changeAuths(context, (auths) => ({ ...auths, [key]: entry }))
  return { file: configPath(context) }
}

/** False: there were none. */
export async function eraseCredentials(key: string, context: CliContext): Promise<boolean> {
  const config = await readConfig(context)
  const helper = helperOf(config, key)
  if (helper !== undefined) await helperErase(helper, key)
  const names = [key, `https://${key}`, `https://${key}/v2/`].filter((name) => config.auths?.[name] !== undefined)
  if (names.length > 0)
    await changeAuths(context, (auths) => Object.fromEntries(Object.entries(auths).filter(([name]) => !names.includes(name))))
  return helper !== undefined || names.length > 0
}

function helperOf(config: CredentialConfig, key: string): string | undefined {
  const name = config.credHelpers?.[key] ?? config.credsStore
  return name === '' ? undefined : name
}
