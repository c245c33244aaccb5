import { constants } from 'node:os'

import { GloveboxError } from '#base'

import { archiveError } from './errors.ts'
import type { Failure } from './frames.ts'

export interface FailurePlace {
  readonly container: string
  /** As it was asked for. */
  readonly path: string
  /** Where volumes and binds are mounted. */
  readonly mountTargets: readonly string[]
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

const FULL_HINT = 'Free space where the daemon keeps its data, or what the quota allows.'

/** What the confined program met, in the words that clients know. */
export function errorOf(failure: Failure, place: FailurePlace): GloveboxError {
  const { about, errno, doing, path } = failure
  const name = NAMES.get(errno) ?? `errno ${errno}`
  const details = { errno: name }
  const text = `${doing} ${path}: ${name}`
  switch (about) {
    case 'path':
      return pathError(name, text, place)
    case 'kind':
      return archiveError('archive.kind_conflict', `${doing} ${JSON.stringify(path)}`, { details })
    case 'read-only':
      return readOnly(path, place)
    case 'entrance':
      return archiveError('archive.failed', `container ${place.container}: ${text}`, { details })
    case 'entry':
      return entryError(name, `container ${place.container}: ${text}`)
  }
}

function pathError(name: string, text: string, { container, path }: FailurePlace): GloveboxError {
  const details = { errno: name }
  if (name === 'ENOENT')
    return archiveError('archive.path_not_found', `Could not find the file ${path} in container ${container}`, { details })
  if (name === 'ENOTDIR')
    return archiveError('archive.not_a_directory', `${path} in container ${container} is not a directory`, { details })
  if (name === 'ELOOP' || name === 'ENAMETOOLONG')
    return archiveError('archive.path_invalid', `container ${container}: ${text}`, { details })
  return entryError(name, `container ${container}: ${text}`)
}

/** dockerd's words. */
function readOnly(path: string, { mountTargets }: FailurePlace): GloveboxError {
  const isMounted = mountTargets.some((target) => path === target || path.startsWith(`${target}/`))
  return archiveError(
    'archive.read_only',
    isMounted ? 'mounted volume is marked read-only' : 'container rootfs is marked read-only',
    {
      details: { path },
    },
  )
}

function entryError(name: string, text: string): GloveboxError {
  const details = { errno: name }
  switch (name) {
    case 'ENOSPC':
      return archiveError('archive.disk_full', `${text}: no space left on device`, { details, hint: FULL_HINT })
    case 'EDQUOT':
      return archiveError('archive.disk_full', `${text}: disk quota exceeded`, { details, hint: FULL_HINT })
    case 'EROFS':
      return archiveError('archive.read_only', `${text}: the place is read-only`, { details })
    case 'EBUSY':
      return archiveError('archive.busy', `${text}: device or resource busy`, {
        details,
        hint: 'A file that is mounted cannot be replaced; write to it from inside the container.',
      })
    case 'EPERM':
    case 'EACCES':
      return archiveError('archive.denied', text, { details })
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
      return archiveError('archive.entry_unsupported', text, { details })
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ELOOP':
    case 'EINVAL':
    case 'EXDEV':
    case 'EMLINK':
    case 'EFBIG':
    case 'ENOTEMPTY':
    case 'ENAMETOOLONG':
      return archiveError('archive.entry_invalid', text, { details })
    default:
      return archiveError('archive.failed', text, { details })
  }
}

export function isPathMissing(error: unknown): boolean {
  return error instanceof GloveboxError && (error.code === 'archive.path_not_found' || error.code === 'archive.not_a_directory')
}
