import { readFileSync } from 'node:fs'

import { messageOf, parseBytes } from '#base'

import type { FlagValues } from '../args/flags.ts'
import { cliError } from '../errors.ts'
import type { createFlags } from './flags.ts'
import { bindWords, mountWord } from './mounts.ts'
import { environment, pairs } from './pairs.ts'
import { portWords } from './ports.ts'

export type CreateFlags = FlagValues<typeof createFlags>

export interface Attachment {
  readonly isInteractive: boolean
  readonly hasTty: boolean
  readonly isDetached: boolean
  readonly removesItself: boolean
  readonly consoleSize: readonly [rows: number, columns: number] | undefined
}

const NS_PER_MS = 1_000_000

/** The body of `POST /containers/create` for a command line. What was not said is left out: the daemon's defaults and the image's apply. */
export function createRequest(
  image: string,
  words: readonly string[],
  flags: CreateFlags,
  attachment: Attachment,
  here: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Record<string, unknown> {
  const ports = portWords(flags.publish, flags.expose)
  const mounts = bindWords(flags.volume, here.cwd)
  const isAttached = !attachment.isDetached
  return compact({
    Image: image,
    Cmd: words.length === 0 ? undefined : words,
    Entrypoint: flags.entrypoint === undefined ? undefined : flags.entrypoint === '' ? [] : [flags.entrypoint],
    Env: environment(flags['env-file'], flags.env, here.env),
    WorkingDir: flags.workdir,
    User: flags.user,
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    Labels: pairs(flags.label),
    Tty: attachment.hasTty,
    OpenStdin: attachment.isInteractive,
    StdinOnce: attachment.isInteractive && isAttached,
    AttachStdin: attachment.isInteractive && isAttached,
    AttachStdout: isAttached,
    AttachStderr: isAttached,
    ExposedPorts: ports.exposed,
    Volumes: mounts.anonymous,
    StopSignal: flags['stop-signal'],
    StopTimeout: flags['stop-timeout'],
    Healthcheck: healthcheck(flags),
    HostConfig: hostConfig(flags, attachment, ports.bindings, mounts.binds, here.cwd),
    NetworkingConfig: networking(flags),
  })
}

function hostConfig(flags: CreateFlags, attachment: Attachment, bindings: object, binds: readonly string[], cwd: string) {
  return compact({
    AutoRemove: attachment.removesItself || undefined,
    ConsoleSize: attachment.consoleSize,
    Annotations: pairs(flags.annotation),
    Binds: binds,
    Mounts: flags.mount.map((word) => mountWord(word, cwd)),
    Tmpfs: Object.fromEntries(flags.tmpfs.map((word) => splitOnce(word, ':'))),
    VolumesFrom: flags['volumes-from'],
    PortBindings: bindings,
    PublishAllPorts: flags['publish-all'] || undefined,
    NetworkMode: flags.network,
    Dns: flags.dns,
    DnsSearch: flags['dns-search'],
    DnsOptions: flags['dns-option'],
    ExtraHosts: flags['add-host'],
    GroupAdd: flags['group-add'],
    Privileged: flags.privileged || undefined,
    ReadonlyRootfs: flags['read-only'] || undefined,
    CapAdd: flags['cap-add'],
    CapDrop: flags['cap-drop'],
    SecurityOpt: flags['security-opt'].map(securityOption),
    Devices: flags.device.map(device),
    DeviceCgroupRules: flags['device-cgroup-rule'],
    Sysctls: pairs(flags.sysctl),
    PidMode: flags.pid,
    IpcMode: flags.ipc,
    UTSMode: flags.uts,
    CgroupnsMode: flags.cgroupns,
    CgroupParent: flags['cgroup-parent'],
    Init: flags.init || undefined,
    RestartPolicy: restartPolicy(flags.restart),
    LogConfig: logConfig(flags),
    ...resources(flags),
  })
}

function resources(flags: CreateFlags) {
  const swap = flags['memory-swap']
  return {
    Memory: flags.memory,
    MemorySwap: swap === undefined ? undefined : swap === '-1' ? -1 : parseBytes(swap, '--memory-swap'),
    MemoryReservation: flags['memory-reservation'],
    NanoCpus: flags.cpus === undefined ? undefined : Math.round(flags.cpus * 1e9),
    CpuShares: flags['cpu-shares'],
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    PidsLimit: flags['pids-limit'],
    BlkioWeight: flags['blkio-weight'],
    OomScoreAdj: flags['oom-score-adj'],
    ShmSize: flags['shm-size'],
    Ulimits: flags.ulimit.map(ulimit),
  }
}

function healthcheck(flags: CreateFlags): object | undefined {
  if (flags['no-healthcheck']) return { Test: ['NONE'] }
  const ns = (ms: number | undefined) => (ms === undefined ? undefined : ms * NS_PER_MS)
  const check = compact({
    Test: flags['health-cmd'] === undefined ? undefined : ['CMD-SHELL', flags['health-cmd']],
    Interval: ns(flags['health-interval']),
    Timeout: ns(flags['health-timeout']),
    Retries: flags['health-retries'],
    StartPeriod: ns(flags['health-start-period']),
    StartInterval: ns(flags['health-start-interval']),
  })
  return Object.keys(check).length === 0 ? undefined : check
}

function networking(flags: CreateFlags): object | undefined {
  const endpoint = compact({
    Aliases: flags['network-alias'],
    IPAMConfig: flags.ip === undefined ? undefined : { IPv4Address: flags.ip },
    MacAddress: flags['mac-address'],
  })
  return Object.keys(endpoint).length === 0 ? undefined : { EndpointsConfig: { [flags.network ?? 'bridge']: endpoint } }
}

function restartPolicy(word: string | undefined): object | undefined {
  if (word === undefined) return undefined
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(word)
  if (match === null || (match[2] !== undefined && match[1] !== 'on-failure'))
    throw cliError('cli.usage', `--restart: ${JSON.stringify(word)} is none of no, always, unless-stopped, on-failure[:N]`)
  return { Name: match[1], MaximumRetryCount: Number(match[2] ?? 0) }
}

function logConfig(flags: CreateFlags): object | undefined {
  if (flags['log-driver'] === undefined && flags['log-opt'].length === 0) return undefined
  return { Type: flags['log-driver'] ?? 'json-file', Config: pairs(flags['log-opt']) }
}

/** The daemon takes a profile as its text, for it may be on another machine in spirit. */
function securityOption(word: string): string {
  const match = /^seccomp[=:](.+)$/.exec(word)
  if (match?.[1] === undefined || match[1] === 'unconfined' || match[1] === 'builtin') return word
  try {
    return `seccomp=${JSON.stringify(JSON.parse(readFileSync(match[1], 'utf8')))}`
  } catch (error) {
    throw cliError('cli.failed', `--security-opt: seccomp profile: ${messageOf(error)}`, { cause: error })
  }
}

function device(word: string): object {
  const [host = '', inside = host, permissions = 'rwm', ...more] = word.split(':')
  if (!host.startsWith('/') || more.length > 0 || !/^[rwm]{1,3}$/.test(permissions))
    throw cliError('cli.usage', `--device: ${JSON.stringify(word)} is not HOST[:INSIDE[:rwm]]`)
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions }
}

function ulimit(word: string): object {
  const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(word)
  if (match === null) throw cliError('cli.usage', `--ulimit: ${JSON.stringify(word)} is not NAME=SOFT[:HARD]`)
  return { Name: match[1], Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) }
}

function splitOnce(word: string, mark: string): [string, string] {
  const at = word.indexOf(mark)
  return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
}

/** Without what was not said: undefined values and empty lists and maps. */
function compact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isSaid = (value: unknown) =>
    value !== undefined && !(Array.isArray(value) && value.length === 0) && !(isPlain(value) && Object.keys(value).length === 0)
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => isSaid(value) || (name === 'Entrypoint' && value !== undefined)),
  )
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
