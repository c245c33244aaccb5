import { chmodSync, closeSync, constants, fsyncSync, openSync, readlinkSync, statfsSync, lstatSync } from 'node:fs'

import { systemCodeOf } from '#base'
import { errnoError, errnoName, hostError } from './errors.ts'
import type { FilePort, OpenInRootOptions } from './port-files.ts'
import type { LazySyscalls } from './syscalls.ts'

const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_IN_ROOT = 0x10
const RENAME_EXCHANGE = 2
const LOCK_EXCLUSIVE_NOW = 2 | 4
/** openat2(2) gives EAGAIN when somebody renames within the tree meanwhile; a few tries outlast that, a hostile loop they do not. */
const MAX_OPEN_TRIES = 32
/** XATTR_SIZE_MAX and XATTR_LIST_MAX */
const MAX_XATTR_BYTES = 65_536
/** Nearly all attributes fit here, so that they need one call. */
const USUAL_XATTR_BYTES = 256

const FILE_SYSTEM_NAMES: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
  0xe0f5e1e2: 'erofs',
  0x6969: 'nfs',
  0x65735546: 'fuse',
  0x2fc12fc1: 'zfs',
  0xf2f52010: 'f2fs',
}

export function linuxFiles(calls: LazySyscalls): FilePort {
  const fails = (what: string): never => {
    throw errnoError('host.file_failed', what, calls().errno())
  }
  const openInRoot = (root: string, path: string, options: OpenInRootOptions = {}): number => {
    const directory = openRoot(root)
    try {
      return openBelow(calls, directory, path, options, `open ${path} in ${root}`)
    } finally {
      closeSync(directory)
    }
  }
  return {
    lgetxattr: (path, name) => readXattr(calls, path, name),
    lsetxattr: (path, name, value) => {
      // An empty value still needs an address to point to.
      const bytes = value.length === 0 ? Buffer.alloc(1) : value
      if (calls().lsetxattr(path, name, bytes, value.length) !== 0) fails(`set attribute ${name} of ${path}`)
    },
    lremovexattr: (path, name) => {
      if (calls().lremovexattr(path, name) === 0) return
      const errno = calls().errno()
      if (errnoName(errno) !== 'ENODATA') throw errnoError('host.file_failed', `remove attribute ${name} of ${path}`, errno)
    },
    llistxattr: (path) => {
      const list = Buffer.alloc(MAX_XATTR_BYTES)
      const length = calls().llistxattr(path, list, list.length)
      if (length >= 0) return list.toString('utf8', 0, length).split('\0').filter(Boolean)
      const errno = calls().errno()
      if (errnoName(errno) === 'EOPNOTSUPP' || errnoName(errno) === 'ENOTSUP') return []
      throw errnoError('host.file_failed', `list attributes of ${path}`, errno)
    },
    mknod: (path, mode, device = { major: 0, minor: 0 }) => {
      if (calls().mknod(path, mode, encodeDevice(device)) !== 0) fails(`make node ${path}`)
      chmodSync(path, mode & 0o7777)
    },
    deviceNumbers: (path) => {
      const stat = lstatSync(path)
      return stat.isCharacterDevice() || stat.isBlockDevice() ? decodeDevice(BigInt(stat.rdev)) : undefined
    },
    openInRoot,
    resolveInRoot: (root, path, { followLast = true } = {}) => {
      try {
        const fd = openInRoot(root, path, { flags: O_PATH, followLast })
        try {
          return readlinkSync(`/proc/self/fd/${fd}`)
        } finally {
          closeSync(fd)
        }
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'host.file_not_found') return undefined
        throw error
      }
    },
    space: (path) => {
      const figures = statfsSync(path)
      return {
        totalBytes: figures.blocks * figures.bsize,
        availableBytes: figures.bavail * figures.bsize,
        totalInodes: figures.files,
        freeInodes: figures.ffree,
        type: FILE_SYSTEM_NAMES[figures.type] ?? `0x${figures.type.toString(16)}`,
      }
    },
    exchange: (first, second) => {
      if (calls().renameat2(first, second, RENAME_EXCHANGE) !== 0) fails(`exchange ${first} and ${second}`)
    },
    tryLock: (path) => {
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
      if (calls().flock(fd, LOCK_EXCLUSIVE_NOW) === 0) return disposableFd(fd)
      const errno = calls().errno()
      closeSync(fd)
      if (errnoName(errno) === 'EAGAIN' || errnoName(errno) === 'EWOULDBLOCK') return undefined
      throw errnoError('host.file_failed', `lock ${path}`, errno)
    },
    syncDirectory: (path) => {
      const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
      try {
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    },
  }
}

function openRoot(root: string): number {
  try {
    return openSync(root, O_PATH | constants.O_DIRECTORY)
  } catch (error) {
    const errno = systemCodeOf(error) ?? 'EIO'
    throw hostError(errno === 'ENOENT' ? 'host.file_not_found' : 'host.file_failed', `open the root ${root}: ${errno}`, {
      cause: error,
      details: { errno },
    })
  }
}

/** struct open_how: flags, mode, resolve. */
function openBelow(calls: LazySyscalls, directory: number, path: string, options: OpenInRootOptions, what: string): number {
  const { flags = constants.O_RDONLY, mode = 0, followLast = true } = options
  const how = Buffer.alloc(24)
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC | (followLast ? 0 : constants.O_NOFOLLOW)), 0)
  how.writeBigUInt64LE(BigInt(mode), 8)
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16)
  for (let tries = 1; ; tries += 1) {
    const fd = calls().openat2(directory, path === '' ? '.' : path, how)
    if (fd >= 0) return fd
    const errno = calls().errno()
    const name = errnoName(errno)
    if ((name === 'EAGAIN' || name === 'EINTR') && tries < MAX_OPEN_TRIES) continue
    throw errnoError(name === 'ENOENT' || name === 'ENOTDIR' ? 'host.file_not_found' : 'host.file_failed', what, errno)
  }
}

function readXattr(calls: LazySyscalls, path: string, name: string): Buffer | undefined {
  for (const size of [USUAL_XATTR_BYTES, MAX_XATTR_BYTES]) {
    const value = Buffer.alloc(size)
    const length = calls().lgetxattr(path, name, value, size)
    if (length >= 0) return Buffer.from(value.subarray(0, length))
    const errno = calls().errno()
    if (['ENODATA', 'EOPNOTSUPP', 'ENOTSUP'].includes(errnoName(errno))) return undefined
    if (errnoName(errno) !== 'ERANGE') throw errnoError('host.file_failed', `read attribute ${name} of ${path}`, errno)
  }
  return undefined
}

/** glibc's 64-bit dev_t, gnu_dev_makedev(3). */
export function encodeDevice({ major, minor }: { readonly major: number; readonly minor: number }): bigint {
  const [a, i] = [BigInt(major), BigInt(minor)]
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((i & 0xffffff00n) << 12n) | (i & 0xffn)
}

export function decodeDevice(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)),
    minor: Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn)),
  }
}

function disposableFd(fd: number): Disposable {
  let isOpen = true
  return {
    [Symbol.dispose]: () => {
      if (isOpen) closeSync(fd)
      isOpen = false
    },
  }
}
