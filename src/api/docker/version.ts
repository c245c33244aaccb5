import { dockerError } from './errors.ts'

/** Versions of the Docker Engine API differ in their minor number only; all of them are 1.x. */
const MIN_MINOR = 24
const MAX_MINOR = 51

export const API_VERSION = `1.${MAX_MINOR}`
export const MIN_API_VERSION = `1.${MIN_MINOR}`

/** Splits `/v1.41/containers/json` into 41 and `/containers/json`. Without a version: the newest. Errors: `docker.version_unsupported`. */
export function splitVersion(path: string): { readonly minor: number; readonly path: string } {
  const version = versionIn(path)
  if (version === '') return { minor: MAX_MINOR, path }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 1 || (major === 1 && minor < MIN_MINOR))
    throw dockerError(
      'docker.version_unsupported',
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    )
  if (major > 1 || minor > MAX_MINOR)
    throw dockerError(
      'docker.version_unsupported',
      `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`,
    )
  return { minor, path: path.slice(version.length + 2) }
}

function versionIn(path: string): string {
  if (!path.startsWith('/v')) return ''
  const end = path.indexOf('/', 1)
  const text = path.slice(2, end === -1 ? undefined : end)
  return end !== -1 && /^\d+(\.\d+)?$/.test(text) ? text : ''
}
