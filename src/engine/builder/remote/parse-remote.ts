import type { GloveboxError } from '#base'
import type { Place } from '#oci/dockerfile'

import { buildError, buildErrorAt, type BuildErrorCode } from '../errors.ts'
import { gitSource, isGitAddress } from './git-address.ts'
import type { RemoteSource } from './port.ts'

const SCHEME = /^(?:https?|git|ssh):\/\//i

/** Whether a source of ADD is an address and not a path. */
export function isRemote(source: string): boolean {
  return SCHEME.test(source) || isGitAddress(source)
}

export interface RemoteFlags {
  readonly checksum: string | undefined
  readonly keepsGitDirectory: boolean
}

/** Reads an address of ADD. Throws `build.instruction_invalid`, and `build.unsupported` for what we do not fetch. */
export function parseRemote(text: string, flags: RemoteFlags, place: Place): RemoteSource {
  return readAddress(text, flags, (code, why, hint) => buildErrorAt(code, place, `ADD ${shown(text)}: ${why}`, hint))
}

/** As Docker writes repositories of one host, for contexts and not for ADD, where this is a path. */
const HOST_ALONE = /^github\.com\/[^/]/

/** Whether a context is an address, and not a directory. */
export function isRemoteContext(text: string): boolean {
  return HOST_ALONE.test(text) || isRemote(text)
}

/** Reads the address of a context; `what` begins messages. Throws `build.context_invalid`, `build.unsupported`. */
export function parseRemoteContext(text: string, what: string): RemoteSource {
  const refuse: Refuse = (code, why, hint) =>
    buildError(
      code === 'build.unsupported' ? code : 'build.context_invalid',
      `${what} ${shown(text)}: ${why}`,
      hint === undefined ? {} : { hint },
    )
  if (!isRemoteContext(text)) throw refuse('build.context_invalid', 'this is no address')
  return readAddress(HOST_ALONE.test(text) ? wholeAddress(text) : text, NO_FLAGS, refuse)
}

const NO_FLAGS: RemoteFlags = { checksum: undefined, keepsGitDirectory: false }

/** `github.com/who/what#ref` with scheme and suffix. */
function wholeAddress(text: string): string {
  const [, path = '', rest = ''] = /^([^?#]*)(.*)$/s.exec(text) ?? []
  const bare = path.replace(/\/$/, '')
  return `https://${bare}${bare.endsWith('.git') ? '' : '.git'}${rest}`
}

type Refuse = (code: BuildErrorCode, why: string, hint?: string) => GloveboxError

function readAddress(text: string, flags: RemoteFlags, refuse: Refuse): RemoteSource {
  const invalid = (why: string, hint?: string) => refuse('build.instruction_invalid', why, hint)
  const unsupported = (why: string, hint?: string) => refuse('build.unsupported', why, hint)
  if (isGitAddress(text)) return gitSource(text, flags, { invalid, unsupported })
  const url = URL.parse(text)
  if (url === null || url.hostname === '') throw invalid('this is no address')
  if (url.username !== '' || url.password !== '')
    throw invalid(
      'an address with a password would stay in the history of the image',
      `Give a secret with the id HTTP_AUTH_TOKEN_${url.hostname} instead.`,
    )
  if (flags.keepsGitDirectory) throw invalid('--keep-git-dir is for git repositories', 'An address of one ends with .git.')
  const sha256 = flags.checksum === undefined ? undefined : /^sha256:([0-9a-f]{64})$/i.exec(flags.checksum)?.[1]?.toLowerCase()
  if (flags.checksum !== undefined && sha256 === undefined)
    throw invalid(`--checksum=${shown(flags.checksum)} is not a digest`, 'Write sha256: and 64 hexadecimal digits.')
  url.hash = ''
  return { kind: 'http', url: url.href, name: nameOf(url), sha256 }
}

/** The last component of the path as it would be a name of a file. */
function nameOf(url: URL): string {
  const last = url.pathname.split('/').findLast((part) => part !== '') ?? ''
  const name = decoded(last)
  return name === '.' || name === '..' || /[/\0]/.test(name) ? '' : name
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** For history and progress: as written. */
export function describeRemote(source: RemoteSource): string {
  if (source.kind === 'http') return source.url
  const place = [source.ref ?? '', source.subdir].filter((part, index) => index === 0 || part !== '').join(':')
  return place === '' ? source.remote : `${source.remote}#${place}`
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 197)}...` : text)
}
