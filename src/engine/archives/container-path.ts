import { posix } from 'node:path'

import { archiveError } from './errors.ts'

/** PATH_MAX without its NUL. */
const MAX_PATH_BYTES = 4095

/**
 * A path of a container as dockerd takes it: absolute whether it begins with a slash or not, `..` stopping at the root, and a slash or
 * `/.` at the end kept, for it means what a link before it leads to. Errors: `archive.path_invalid`.
 */
export function containerPath(path: string): string {
  if (path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw archiveError('archive.path_invalid', `${JSON.stringify(path.slice(0, 100))} is no path: it holds a NUL or is too long`)
  const whole = posix.join('/', path)
  const bare = whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole
  if (path.endsWith('/.') || path === '.') return bare === '/' ? '/.' : `${bare}/.`
  return path.endsWith('/') && bare !== '/' ? `${bare}/` : bare
}

/** Go's filepath.Base: the last component, `.` for a path that ends in `/.`, `/` for the root. */
export function baseName(path: string): string {
  return path.endsWith('/.') ? '.' : path === '/' ? '/' : posix.basename(path)
}
