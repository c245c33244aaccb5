import { closeSync, constants, openSync, readFileSync } from 'node:fs'

import { errnoError, errnoName } from './errors.ts'
import { fsconfigSteps, optionString, planErofs, planOverlay } from './mount-plan.ts'
import type { FileSystemPlan } from './mount-plan.ts'
import { isAtOrBelow, parseMountinfo } from './mountinfo.ts'
import type { BindMount, IdmappedMount, MountPort, MountPropagation, TmpfsMount } from './port-mounts.ts'
import type { LazySyscalls } from './syscalls.ts'

const MS_RDONLY = 1
const MS_NOSUID = 2
const MS_NODEV = 4
const MS_REMOUNT = 32
const MS_BIND = 4096
const MS_REC = 16384
const MS_PRIVATE = 1 << 18
const MS_SLAVE = 1 << 19
const MS_SHARED = 1 << 20
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const MOUNT_ATTR_RDONLY = 1
const MOUNT_ATTR_IDMAP = 0x0010_0000
const AT_RECURSIVE = 0x8000
const O_PATH = 0o10000000

const PROPAGATION_FLAGS: Readonly<Record<MountPropagation, number>> = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE | MS_REC,
  shared: MS_SHARED,
  rshared: MS_SHARED | MS_REC,
  slave: MS_SLAVE,
  rslave: MS_SLAVE | MS_REC,
}

export function linuxMounts(calls: LazySyscalls): MountPort {
  const unmount = (target: string, options: { readonly lazy?: boolean } = {}) => {
    if (calls().umount2(target, (options.lazy === true ? MNT_DETACH : 0) | UMOUNT_NOFOLLOW) === 0) return
    const errno = calls().errno()
    if (!['EINVAL', 'ENOENT', 'ENOTDIR'].includes(errnoName(errno)))
      throw errnoError('host.mount_failed', `unmount ${target}`, errno)
  }
  const setPropagation = (target: string, propagation: MountPropagation) => {
    if (calls().mount('none', target, null, PROPAGATION_FLAGS[propagation], null) === 0) return
    throw errnoError('host.mount_failed', `make ${target} ${propagation}`, calls().errno())
  }
  return {
    erofs: (options) => mountFileSystem(calls, planErofs(options)),
    overlay: (options) => asRootOf(calls, options.mappingOf, () => mountFileSystem(calls, planOverlay(options))),
    bind: (options) => {
      const what = `bind ${options.source} on ${options.target}`
      const flags = MS_BIND | (options.recursive === true ? MS_REC : 0)
      if (calls().mount(options.source, options.target, null, flags, null) !== 0)
        throw errnoError('host.mount_failed', what, calls().errno())
      try {
        if (options.readOnly === true) makeReadOnly(calls, options)
        if (options.propagation !== undefined) setPropagation(options.target, options.propagation)
      } catch (error) {
        unmount(options.target, { lazy: true })
        throw error
      }
    },
    tmpfs: (options) => mountTmpfs(calls, options),
    idmapped: (options) => mountIdmapped(calls, options),
    unmount,
    makePrivate: (target) => setPropagation(target, 'private'),
    list: (under) => {
      const all = parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8'))
      return under === undefined ? all : all.filter(({ target }) => isAtOrBelow(target, under))
    },
  }
}

function mountTmpfs(calls: LazySyscalls, { target, sizeBytes, mode, isNeverSwapped = false }: TmpfsMount): void {
  const modeOption = `mode=${(mode ?? 0o755).toString(8)}`
  const options = [modeOption, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]), ...(isNeverSwapped ? ['noswap'] : [])]
  const mount = (type: string, text: string) => calls().mount(type, target, type, MS_NOSUID | MS_NODEV, text) === 0
  if (mount('tmpfs', options.join(','))) return
  // A kernel that does not know the option, or does not let us use it: pages of a ramfs have no place in swap.
  if (isNeverSwapped && ['EINVAL', 'EPERM'].includes(errnoName(calls().errno())) && mount('ramfs', modeOption)) return
  throw errnoError('host.mount_failed', `mount tmpfs on ${target}`, calls().errno())
}

const PR_GET_SECUREBITS = 27
const PR_SET_SECUREBITS = 28
/** capabilities(7): a change of the file system ids takes no capability. */
const SECBIT_NO_SETUID_FIXUP = 4

/**
 * With the file system ids that root has in that process's user namespace: files made below an idmapped mount must have an owner that is
 * mapped. Of this thread alone, which does nothing else meanwhile.
 */
function asRootOf(calls: LazySyscalls, pid: number | undefined, work: () => void): void {
  if (pid === undefined) return work()
  const [uid, gid] = [outsideRoot(`/proc/${pid}/uid_map`), outsideRoot(`/proc/${pid}/gid_map`)]
  const { prctl, setfsuid, setfsgid } = calls()
  const before = prctl(PR_GET_SECUREBITS, 0)
  if (before < 0 || prctl(PR_SET_SECUREBITS, before | SECBIT_NO_SETUID_FIXUP) !== 0)
    throw errnoError('host.mount_failed', 'keep capabilities under other ids', calls().errno())
  setfsgid(gid)
  setfsuid(uid)
  try {
    work()
  } finally {
    setfsuid(0)
    setfsgid(0)
    prctl(PR_SET_SECUREBITS, before)
  }
}

/** Root of a namespace, as we see it: rows of inside, outside and count. */
function outsideRoot(path: string): number {
  const rows = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  return rows.find(([inside]) => inside === 0)?.[1] ?? 0
}

/** A mapping can be given only to a mount that nobody has seen yet: a copy is made, mapped, and then attached. */
function mountIdmapped(calls: LazySyscalls, { source, target, readOnly, mappingOf }: IdmappedMount): void {
  const what = `bind ${source} on ${target} with other owners`
  using cleanup = new DisposableStack()
  const namespace = openSync(`/proc/${mappingOf}/ns/user`, constants.O_RDONLY)
  cleanup.defer(() => closeSync(namespace))
  const tree = calls().openTree(source)
  if (tree < 0) throw errnoError('host.mount_failed', `${what}: copy`, calls().errno())
  cleanup.defer(() => closeSync(tree))
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
  const attributes = Buffer.alloc(32)
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_IDMAP | (readOnly === true ? MOUNT_ATTR_RDONLY : 0)), 0)
  attributes.writeBigUInt64LE(BigInt(namespace), 24)
  if (calls().mountSetattr(`/proc/self/fd/${tree}`, 0, attributes) !== 0)
    throw errnoError('host.mount_failed', `${what}: map`, calls().errno())
  if (calls().moveMount(tree, target) !== 0) throw errnoError('host.mount_failed', `${what}: attach`, calls().errno())
}

function makeReadOnly(calls: LazySyscalls, { target, recursive, source }: BindMount): void {
  const attributes = Buffer.alloc(32)
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_RDONLY), 0)
  if (calls().mountSetattr(target, recursive === true ? AT_RECURSIVE : 0, attributes) === 0) return
  const errno = calls().errno()
  // Kernels before 5.12 lack mount_setattr(2); they can make one mount read-only, not a tree.
  const isOld = errnoName(errno) === 'ENOSYS' && recursive !== true
  if (isOld && calls().mount('none', target, null, MS_REMOUNT | MS_BIND | MS_RDONLY, null) === 0) return
  throw errnoError('host.mount_failed', `make the bind of ${source} on ${target} read-only`, isOld ? calls().errno() : errno)
}

function mountFileSystem(calls: LazySyscalls, plan: FileSystemPlan): void {
  const options = optionString(plan)
  if (options === undefined) return mountByFsconfig(calls, plan)
  if (calls().mount(plan.source, plan.target, plan.type, plan.isReadOnly ? MS_RDONLY : 0, options) === 0) return
  throw errnoError('host.mount_failed', describe(plan), calls().errno())
}

/** The way without a limit on the number of layers, and without characters that mean something. Needs Linux 6.7 for overlays. */
function mountByFsconfig(calls: LazySyscalls, plan: FileSystemPlan): void {
  using cleanup = new DisposableStack()
  const own = (fd: number, what: string): number => {
    if (fd < 0) throw errnoError('host.mount_failed', `${describe(plan)}: ${what}`, calls().errno())
    cleanup.defer(() => closeSync(fd))
    return fd
  }
  const alias = (path: string) => {
    const fd = openSync(path, O_PATH | constants.O_RDONLY)
    cleanup.defer(() => closeSync(fd))
    return `/proc/self/fd/${fd}`
  }
  const context = own(calls().fsopen(plan.type, FSOPEN_CLOEXEC), 'fsopen')
  const check = (result: number, what: string) => {
    if (result === 0) return
    const errno = calls().errno()
    throw errnoError('host.mount_failed', `${describe(plan)}: ${what}`, errno, readComplaint(calls, context))
  }
  for (const { key, value } of fsconfigSteps(plan, alias))
    check(
      value === undefined ? calls().fsconfigFlag(context, key) : calls().fsconfigString(context, key, value),
      `option ${key}${value === undefined ? '' : `=${value}`}`,
    )
  check(calls().fsconfigCreate(context), 'create')
  const mount = own(calls().fsmount(context, FSMOUNT_CLOEXEC, plan.isReadOnly ? MOUNT_ATTR_RDONLY : 0), 'fsmount')
  check(calls().moveMount(mount, plan.target), 'attach')
}

/** The context's descriptor hands out what the file system has to say, one message a read: `e overlay: ...`. */
function readComplaint(calls: LazySyscalls, context: number): string {
  const buffer = Buffer.alloc(1024)
  const length = calls().read(context, buffer, buffer.length)
  return length > 0 ? buffer.toString('utf8', 0, length).trim() : ''
}

function describe(plan: FileSystemPlan): string {
  const paths = plan.options.flatMap((option) => {
    if ('paths' in option)
      return [`${option.paths.length} layers (${option.paths[0] ?? 'none'}${option.paths.length > 1 ? ', ...' : ''})`]
    return 'path' in option ? [`${option.key} ${option.path}`] : []
  })
  const source = plan.type === 'erofs' ? ` ${plan.source}` : ''
  return `mount ${plan.type}${source} on ${plan.target}${paths.length === 0 ? '' : ` with ${paths.join(', ')}`}`
}
