import { parseBytes } from '#base'
import type { TmpfsMountSpec } from '#engine/containers'

import { dockerError } from '../errors.ts'
import { mountTarget } from './binds.ts'

const FLAGS: ReadonlySet<string> = new Set(
  'ro rw nosuid suid nodev dev noexec exec sync async dirsync remount noatime atime nodiratime diratime relatime norelatime strictatime nostrictatime'.split(
    ' ',
  ),
)

/** mount(8), "tmpfs": those that take a value, apart from `size` and `mode`. */
const VALUED: ReadonlySet<string> = new Set(['uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol'])

/** HostConfig.Tmpfs: `{"/run": "rw,noexec,size=64k"}`. Errors: `docker.field_invalid`. */
export function readTmpfs(target: string, text: string): TmpfsMountSpec {
  return tmpfsOf(mountTarget(target, target), text === '' ? [] : text.split(','))
}

export function tmpfsOf(target: string, options: readonly string[]): TmpfsMountSpec {
  let sizeBytes: number | null = null
  let mode: number | null = null
  const rest: string[] = []
  for (const option of options) {
    const mark = option.indexOf('=')
    const key = mark === -1 ? option : option.slice(0, mark)
    const value = mark === -1 ? '' : option.slice(mark + 1)
    // tmpfs(5) also takes a share of memory, which is no number of bytes.
    if (key === 'size' && /^\d{1,3}%$/.test(value)) rest.push(option)
    else if (key === 'size') sizeBytes = parseBytes(value, `tmpfs ${target}: size`)
    else if (key === 'mode') mode = tmpfsMode(value, target)
    else if (mark === -1 ? FLAGS.has(key) : VALUED.has(key)) rest.push(option)
    else throw dockerError('docker.field_invalid', `invalid tmpfs option [${JSON.stringify(option)}] for ${target}`)
  }
  return { type: 'tmpfs', target, sizeBytes, mode, options: rest }
}

function tmpfsMode(value: string, target: string): number {
  if (!/^[0-7]{1,5}$/.test(value))
    throw dockerError('docker.field_invalid', `tmpfs ${target}: mode=${value} is not an octal mode`)
  return Number.parseInt(value, 8)
}
