import { statSync } from 'node:fs'
import { join, posix, relative } from 'node:path'

import {
  checkProcMount,
  planRuntimeSpec,
  processSpec,
  type NamespaceInput,
  type ProcessInput,
  type RuntimeSpecInput,
} from '#engine/runtime/spec'
import type { RuntimeMount, RuntimeProcess, RuntimeSpec } from '#oci/runtime-spec'

import type { Context } from './context.ts'
import { commandOf } from './create.ts'
import { mergeEnv } from './default-spec.ts'
import { devicesOf, throttledDevices, weightedDevices } from './devices.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import { memoryMounts } from './memory-files.ts'
import type { JoinedNetwork } from './networking.ts'
import { cgroupPathOf } from './paths.ts'
import type { ExecSpec } from './port.ts'
import type { ContainerRecord, ResolvedMount } from './record.ts'
import { userInRoot } from './root.ts'
import type { BindMountSpec, ContainerSpec, ProcessSpec, TmpfsMountSpec } from './spec.ts'
import type { JoinedUserNamespace } from './user-namespace.ts'
import type { ResolvedUser } from './users.ts'
import type { MountSources } from './volume-sources.ts'

export interface Place {
  readonly rootfs: string
  readonly network: JoinedNetwork
  /** As in the specification's input. */
  readonly shmSource?: string | null | undefined
  readonly users?: JoinedUserNamespace | undefined
  readonly sources?: MountSources
}

/** The container's `config.json`: names looked up in its own root, namespaces of others found, devices of the host measured. */
export function runtimeSpec(context: Context, record: ContainerRecord, place: Place): RuntimeSpec {
  const { spec } = record
  const user = userInRoot(context, place.rootfs, spec.process.user, spec.process.additionalGroups)
  const input: RuntimeSpecInput = {
    process: {
      ...processInput(spec, user),
      args: [...initOf(context, spec).args, ...commandOf(spec)],
      env: mergeEnv(place.network.env ?? [], environmentOf(spec.process, user, place.network.hostname)),
    },
    security: spec.security,
    namespaces: namespacesOf(context, spec, place.network),
    ...(place.users === undefined ? {} : { userNamespace: { path: place.users.path, groups: place.users.groups } }),
    hostname: spec.namespaces.uts === 'host' ? '' : place.network.hostname,
    domainname: spec.domainname,
    rootfs: { path: place.rootfs, isReadOnly: spec.security.isReadOnlyRoot },
    mounts: withoutFalseProc(context, place.rootfs, [
      ...identityMounts(spec, place.network),
      ...initOf(context, spec).mounts,
      ...record.mounts.map((mount) => mountOf(context, mount, spec, place)),
      ...memoryMounts(context, record),
    ]),
    shmBytes: spec.resources.shmBytes,
    ...(place.shmSource === undefined ? {} : { shmSource: place.shmSource }),
    cgroupsPath: cgroupPathOf(context, record.id, spec.resources.cgroupParent),
    resources: {
      ...spec.resources,
      blkioDevices: throttledDevices(spec.resources.blkioDevices),
      blkioWeightDevices: weightedDevices(spec.resources.blkioWeightDevices),
    },
    sysctls: spec.security.sysctls,
    devices: devicesOf(spec.security),
    deviceRules: spec.security.deviceCgroupRules,
    annotations: spec.annotations,
  }
  return planRuntimeSpec(input, context.host.kernel.facts())
}

/** Targets are looked up in the root, for a link of the image may lead one to /proc. */
function withoutFalseProc({ host }: Context, rootfs: string, mounts: readonly RuntimeMount[]): readonly RuntimeMount[] {
  for (const mount of mounts) {
    const found = host.files.resolveInRoot(rootfs, mount.destination)
    checkProcMount(mount, posix.normalize(mount.destination))
    if (found !== undefined) checkProcMount(mount, `/${relative(rootfs, found)}`)
  }
  return mounts
}

/** Where programs that look for an init expect it. */
export const INIT_TARGET = '/sbin/docker-init'

/** `--init`: a first process that starts the command, passes signals on and reaps orphans. */
function initOf({ initPath }: Context, { hasInit }: ContainerSpec): { args: readonly string[]; mounts: readonly RuntimeMount[] } {
  if (!hasInit) return { args: [], mounts: [] }
  const mount = { destination: INIT_TARGET, type: 'bind', source: initPath, options: ['bind', 'ro', 'rprivate'] }
  return { args: [INIT_TARGET, '--'], mounts: [mount] }
}

/** One more process in a container that runs: its user comes from the container's own files as they are now. */
export function execProcess(context: Context, live: LiveContainer, exec: ExecSpec): RuntimeProcess {
  const { spec, status } = live.record
  const groups = exec.user === '' ? spec.process.additionalGroups : []
  const user = userInRoot(context, `/proc/${status.pid}/root`, exec.user === '' ? spec.process.user : exec.user, groups)
  const process: ProcessInput = {
    ...processInput(spec, user),
    args: exec.cmd,
    env: mergeEnv(environmentOf({ ...spec.process, hasTty: exec.hasTty }, user, spec.hostname), exec.env),
    cwd: exec.workingDir === '' ? directoryOf(spec) : exec.workingDir,
    isTty: exec.hasTty,
    consoleSize: null,
  }
  const security = { ...spec.security, isPrivileged: spec.security.isPrivileged || exec.isPrivileged }
  return processSpec(process, security, context.host.kernel.facts())
}

function processInput(spec: ContainerSpec, { uid, gid, additionalGids }: ResolvedUser): Omit<ProcessInput, 'args' | 'env'> {
  return {
    cwd: directoryOf(spec),
    user: { uid, gid, additionalGids },
    isTty: spec.process.hasTty,
    consoleSize: spec.process.consoleSize,
    ulimits: spec.resources.ulimits,
    oomScoreAdj: spec.resources.oomScoreAdj,
  }
}

function directoryOf({ process }: ContainerSpec): string {
  return process.workingDir === '' ? '/' : process.workingDir
}

/** What a program finds beside what it was given: its host's name, its home, and a terminal's kind. */
function environmentOf(process: ProcessSpec, user: ResolvedUser, hostname: string): readonly string[] {
  const offered = [
    ...(hostname === '' ? [] : [`HOSTNAME=${hostname}`]),
    ...(process.hasTty ? ['TERM=xterm'] : []),
    `HOME=${user.home}`,
  ]
  const has = (entry: string) => process.env.some((given) => given.startsWith(entry.slice(0, entry.indexOf('=') + 1)))
  return [...process.env, ...offered.filter((entry) => !has(entry))]
}

function namespacesOf(context: Context, spec: ContainerSpec, network: JoinedNetwork): RuntimeSpecInput['namespaces'] {
  const { namespaces } = spec
  return {
    pid: namespaceOf(context, namespaces.pid, 'pid'),
    ipc: namespaceOf(context, namespaces.ipc, 'ipc'),
    uts:
      spec.network.mode === 'host' && namespaces.uts === '' && spec.hostname === ''
        ? { kind: 'host' }
        : namespaceOf(context, namespaces.uts, 'uts'),
    network: networkNamespace(spec, network),
    cgroup: namespaces.cgroup === 'host' ? { kind: 'host' } : { kind: 'new' },
  }
}

function networkNamespace(spec: ContainerSpec, { namespacePath }: JoinedNetwork): NamespaceInput {
  if (namespacePath === null) return { kind: 'host' }
  return spec.network.mode.startsWith('container:')
    ? { kind: 'shared', path: namespacePath }
    : { kind: 'path', path: namespacePath }
}

function namespaceOf(context: Context, mode: string, name: string): NamespaceInput {
  if (mode === 'host') return { kind: 'host' }
  if (!mode.startsWith('container:')) return { kind: 'new' }
  const other = context.registry.find(mode.slice('container:'.length))
  if (other.process === null)
    throw containerError(
      'container.not_running',
      `cannot join the ${name} namespace of container ${other.record.name}, which is not running`,
    )
  return { kind: 'shared', path: `/proc/${other.process.pid}/ns/${name}` }
}

const IDENTITY_FILES = ['hosts', 'hostname', 'resolv.conf']

/** The files by which programs find names; a mount of the user's at the same place wins. */
function identityMounts(spec: ContainerSpec, network: JoinedNetwork): readonly RuntimeMount[] {
  const taken = new Set(spec.mounts.map((mount) => mount.target))
  return IDENTITY_FILES.filter((name) => !taken.has(`/etc/${name}`)).map((name) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: join(network.filesDir, name),
    options: ['rbind', 'rprivate', spec.security.isReadOnlyRoot ? 'ro' : 'rw'],
  }))
}

function mountOf(context: Context, mount: ResolvedMount, spec: ContainerSpec, place: Place): RuntimeMount {
  if (mount.type === 'tmpfs') {
    const wanted = spec.mounts.find((other): other is TmpfsMountSpec => other.type === 'tmpfs' && other.target === mount.target)
    return { destination: mount.target, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(wanted) }
  }
  const propagation = mount.propagation === '' ? 'rprivate' : mount.propagation
  const wanted = spec.mounts.find((other): other is BindMountSpec => other.type === 'bind' && other.target === mount.target)
  const isTree = wanted?.isRecursive !== false
  const source = place.sources?.get(mount.target) ?? mount.source
  // crun opens the target of a recursive one as a directory; nothing can be mounted below anything else.
  const canHoldMounts = statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true
  const isAble = isTree && canMakeTreesReadOnly(context.host.kernel.facts().release)
  const readOnly = canHoldMounts ? readOnlyOption(wanted, isAble) : 'ro'
  return {
    destination: mount.target,
    type: 'bind',
    source,
    options: [isTree ? 'rbind' : 'bind', propagation, mount.isReadOnly ? readOnly : 'rw'],
  }
}

/** mount_setattr(2) came with Linux 5.12. */
function canMakeTreesReadOnly(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number)
  return major > 5 || (major === 5 && minor >= 12)
}

/** As dockerd: what is mounted below is read-only too where the kernel can do that, unless it was not to be. */
function readOnlyOption(wanted: BindMountSpec | undefined, hasRecursion: boolean): string {
  if (wanted?.readOnly === 'forced' && !hasRecursion)
    throw containerError(
      'container.mount_invalid',
      `${wanted.target} cannot be made read-only with all that is mounted below it`,
      {
        hint: 'That needs Linux 5.12 and a recursive mount.',
      },
    )
  return hasRecursion && wanted?.readOnly !== 'non-recursive' ? 'rro' : 'ro'
}

/** Docker's defaults for a tmpfs, then what was asked for. */
function tmpfsOptions(mount: TmpfsMountSpec | undefined): readonly string[] {
  const options = ['nosuid', 'nodev', 'noexec', ...(mount?.options ?? [])]
  if (mount?.options.includes('exec') === true) options.splice(options.indexOf('noexec'), 1)
  return [
    ...options,
    ...(mount?.sizeBytes == null ? [] : [`size=${mount.sizeBytes}`]),
    ...(mount?.mode == null ? [] : [`mode=${mount.mode.toString(8)}`]),
  ]
}
