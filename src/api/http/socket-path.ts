import { chmod, chown, lstat, readFile, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

import { systemCodeOf } from '#base'

import { httpError } from './errors.ts'

/** sockaddr_un holds 108 bytes with the closing zero: unix(7). */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * Makes room for a listening socket. A socket file that nobody answers is what a killed daemon left and goes; one that answers belongs
 * to somebody, and any other kind of file is not ours to remove. Errors: `http.socket_in_use`, `http.socket_path_invalid`.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    throw httpError('http.socket_path_invalid', `socket ${path}: the path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`)
  const stat = await lstat(path).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return null
    throw error
  })
  if (stat === null) return
  if (!stat.isSocket()) throw httpError('http.socket_path_invalid', `socket ${path}: there is a file that is not a socket`)
  if (await isAnswered(path))
    throw httpError('http.socket_in_use', `socket ${path}: another process listens there`, {
      hint: 'Stop it, or give this one a socket of its own.',
    })
  await unlink(path)
}

/** Who may connect: the owner, and the group where one is named. */
export async function restrictSocket(path: string, options: { readonly mode: number; readonly group?: string }): Promise<void> {
  await chmod(path, options.mode)
  if (options.group !== undefined) await chown(path, -1, await groupId(options.group))
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error) => {
      const code = systemCodeOf(error)
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}

/** Whether the host has a group of this name. */
export async function isGroup(name: string): Promise<boolean> {
  return (await groupIdIn(name)) !== undefined
}

async function groupId(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group)
  const gid = await groupIdIn(group)
  if (gid === undefined) throw httpError('http.group_unknown', `socket group ${group}: there is no such group`)
  return gid
}

/** group(5): name:password:gid:members. */
async function groupIdIn(group: string): Promise<number | undefined> {
  const lines = (await readFile('/etc/group', 'utf8')).split('\n')
  const gid = lines.map((line) => line.split(':')).find((fields) => fields[0] === group)?.[2]
  return gid === undefined ? undefined : Number(gid)
}
