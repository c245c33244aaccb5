import { createRequire } from 'node:module'
import { arch } from 'node:os'

/**
 * The system calls that Node lacks, as plain functions that return what C returns. -1 means failure; `errno()` must then be read
 * before anything else is called. Loaded on first use: a process that never needs one does not pay the 8 ms of koffi.
 */
export interface Syscalls {
  errno(): number
  mount(source: string, target: string, type: string | null, flags: number, options: string | null): number
  umount2(target: string, flags: number): number
  fsopen(type: string, flags: number): number
  fsconfigString(fd: number, key: string, value: string): number
  fsconfigFlag(fd: number, key: string): number
  fsconfigCreate(fd: number): number
  fsmount(fd: number, flags: number, attributes: number): number
  /** A detached copy of the mount at `source`; its descriptor is closed on exec. */
  openTree(source: string): number
  moveMount(fd: number, target: string): number
  mountSetattr(target: string, flags: number, attributes: Uint8Array): number
  unshare(flags: number): number
  setns(fd: number, kind: number): number
  pidfdOpen(pid: number): number
  pidfdSendSignal(pidfd: number, signo: number): number
  openat2(directory: number, path: string, how: Uint8Array): number
  renameat2(from: string, to: string, flags: number): number
  flock(fd: number, operation: number): number
  mknod(path: string, mode: number, device: bigint): number
  lgetxattr(path: string, name: string, value: Uint8Array, size: number): number
  lsetxattr(path: string, name: string, value: Uint8Array, size: number): number
  lremovexattr(path: string, name: string): number
  llistxattr(path: string, list: Uint8Array, size: number): number
  socket(family: number, type: number, protocol: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, size: number): number
  bind(fd: number, address: Uint8Array, size: number): number
  listen(fd: number, backlog: number): number
  getsockname(fd: number, address: Uint8Array, size: Uint8Array): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, size: Uint8Array): number
  send(fd: number, bytes: Uint8Array, size: number, flags: number): number
  recv(fd: number, bytes: Uint8Array, size: number, flags: number): number
  read(fd: number, bytes: Uint8Array, size: number): number
  close(fd: number): number
  /** Of the calling thread, as the two below. What it was. */
  setfsuid(uid: number): number
  setfsgid(gid: number): number
  prctl(option: number, value: number): number
}

/** Gives the same calls every time, loading them the first time. */
export type LazySyscalls = () => Syscalls

export function lazySyscalls(): LazySyscalls {
  let loaded: Syscalls | undefined
  return () => (loaded ??= loadSyscalls())
}

/** Since 5.1 all architectures number new calls alike; only the older ones differ. */
const NUMBER = {
  openTree: 428,
  moveMount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  pidfdSendSignal: 424,
  pidfdOpen: 434,
  openat2: 437,
  mountSetattr: 442,
  renameat2: arch() === 'arm64' ? 276 : 316,
} as const

const AT_FDCWD = -100
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const MOVE_MOUNT_F_EMPTY_PATH = 4
/** OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC */
const OPEN_TREE_FLAGS = 1 | 0o2000000

type Callable = (...values: unknown[]) => unknown

function loadSyscalls(): Syscalls {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
  const libc = koffi.load(null)
  // Sizes and addresses fit JavaScript's exact numbers here; koffi hands longs over as numbers when they do.
  const c = <F>(definition: string): F => lazily(() => libc.func(definition)) as F
  const numbered = (number: number, ...types: string[]): Callable => {
    const call = lazily(() => libc.func('syscall', 'int', ['long', ...types]))
    return (...values) => call(number, ...values)
  }
  const fsconfig = numbered(NUMBER.fsconfig, 'int', 'uint', 'const char *', 'const char *', 'int')
  const fsopen = numbered(NUMBER.fsopen, 'const char *', 'uint')
  const fsmount = numbered(NUMBER.fsmount, 'int', 'uint', 'uint')
  const openTree = numbered(NUMBER.openTree, 'int', 'const char *', 'uint')
  const moveMount = numbered(NUMBER.moveMount, 'int', 'const char *', 'int', 'const char *', 'uint')
  const mountSetattr = numbered(NUMBER.mountSetattr, 'int', 'const char *', 'uint', 'const uint8_t *', 'size_t')
  const pidfdOpen = numbered(NUMBER.pidfdOpen, 'int', 'uint')
  const pidfdSendSignal = numbered(NUMBER.pidfdSendSignal, 'int', 'int', 'void *', 'uint')
  const openat2 = numbered(NUMBER.openat2, 'int', 'const char *', 'const uint8_t *', 'size_t')
  const renameat2 = numbered(NUMBER.renameat2, 'int', 'const char *', 'int', 'const char *', 'uint')
  const prctl = c<Callable>('int prctl(int option, ulong value, ulong, ulong, ulong)')
  const lsetxattr = c<Callable>('int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)')
  return {
    errno: () => koffi.errno(),
    mount: c('int mount(const char *source, const char *target, const char *type, ulong flags, const char *options)'),
    umount2: c('int umount2(const char *target, int flags)'),
    fsopen: (type, flags) => Number(fsopen(type, flags)),
    fsconfigString: (fd, key, value) => Number(fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0)),
    fsconfigFlag: (fd, key) => Number(fsconfig(fd, FSCONFIG_SET_FLAG, key, null, 0)),
    fsconfigCreate: (fd) => Number(fsconfig(fd, FSCONFIG_CMD_CREATE, null, null, 0)),
    fsmount: (fd, flags, attributes) => Number(fsmount(fd, flags, attributes)),
    openTree: (source) => Number(openTree(AT_FDCWD, source, OPEN_TREE_FLAGS)),
    moveMount: (fd, target) => Number(moveMount(fd, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)),
    mountSetattr: (target, flags, attributes) => Number(mountSetattr(AT_FDCWD, target, flags, attributes, attributes.length)),
    unshare: c('int unshare(int flags)'),
    setns: c('int setns(int fd, int kind)'),
    pidfdOpen: (pid) => Number(pidfdOpen(pid, 0)),
    pidfdSendSignal: (pidfd, signo) => Number(pidfdSendSignal(pidfd, signo, null, 0)),
    openat2: (directory, path, how) => Number(openat2(directory, path, how, how.length)),
    renameat2: (from, to, flags) => Number(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags)),
    flock: c('int flock(int fd, int operation)'),
    mknod: c('int mknod(const char *path, uint mode, uint64_t device)'),
    lgetxattr: c('intptr_t lgetxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)'),
    lsetxattr: (path, name, value, size) => Number(lsetxattr(path, name, value, size, 0)),
    lremovexattr: c('int lremovexattr(const char *path, const char *name)'),
    llistxattr: c('intptr_t llistxattr(const char *path, _Out_ uint8_t *list, size_t size)'),
    socket: c('int socket(int family, int type, int protocol)'),
    setsockopt: c('int setsockopt(int fd, int level, int option, const uint8_t *value, uint size)'),
    bind: c('int bind(int fd, const uint8_t *address, uint size)'),
    listen: c('int listen(int fd, int backlog)'),
    getsockname: c('int getsockname(int fd, _Out_ uint8_t *address, _Inout_ uint8_t *size)'),
    getsockopt: c('int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint8_t *size)'),
    send: c('intptr_t send(int fd, const uint8_t *bytes, size_t size, int flags)'),
    recv: c('intptr_t recv(int fd, _Out_ uint8_t *bytes, size_t size, int flags)'),
    read: c('intptr_t read(int fd, _Out_ uint8_t *bytes, size_t size)'),
    close: c('int close(int fd)'),
    setfsuid: c('int setfsuid(uint uid)'),
    setfsgid: c('int setfsgid(uint gid)'),
    prctl: (option, value) => Number(prctl(option, value, 0, 0, 0)),
  }
}

/** Looks a function up when it is first called: a symbol that this libc lacks only hurts who needs it. */
function lazily(find: () => Callable): Callable {
  let found: Callable | undefined
  return (...values) => (found ??= find())(...values)
}
