import { posix } from 'node:path'

import { containerError } from './errors.ts'
import type { MemoryFile } from './port.ts'
import type { MountSpec } from './spec.ts'

/** A mount each: hundreds make every start of the container slower. */
export const MAX_MEMORY_FILES = 256
/** Twice what a secret may have. */
export const MAX_MEMORY_FILE_BYTES = 1024 * 1024
const MAX_ID = 2 ** 32 - 2
const MAX_MODE = 0o777

/** Refuses what could not be mounted, or would hide something else. Error: `container.memory_file_invalid`, never with the content. */
export function checkMemoryFiles(files: readonly MemoryFile[], mounts: readonly Pick<MountSpec, 'target'>[]): void {
  const refuse = (what: string) => containerError('container.memory_file_invalid', what)
  if (files.length > MAX_MEMORY_FILES) throw refuse(`${files.length} files in memory; ${MAX_MEMORY_FILES} is the most`)
  const taken = new Set(mounts.map(({ target }) => trimmed(target)))
  for (const { target, uid, gid, mode, content } of files) {
    const path = trimmed(target)
    if (!posix.isAbsolute(target) || path === '/' || target.endsWith('/') || target.includes('\0'))
      throw refuse(`the file ${JSON.stringify(target)}: give an absolute path of a file`)
    if (taken.has(path)) throw refuse(`the file ${target}: something else is mounted there`)
    taken.add(path)
    if (![uid, gid].every((id) => Number.isInteger(id) && id >= 0 && id <= MAX_ID))
      throw refuse(`the file ${target}: its owner ${uid}:${gid} is no user and group`)
    if (!Number.isInteger(mode) || mode < 0 || mode > MAX_MODE)
      throw refuse(`the file ${target}: mode 0${mode.toString(8)}; only permission bits may be set`)
    if (content.length > MAX_MEMORY_FILE_BYTES)
      throw refuse(`the file ${target} has ${content.length} bytes; ${MAX_MEMORY_FILE_BYTES} is the most`)
  }
}

function trimmed(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal
}
