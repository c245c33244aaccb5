import { readFileSync } from 'node:fs'

import { messageOf } from '#base'

import { cliError } from '../errors.ts'
import { compact } from './compact.ts'
import type { CreateFlags } from './flags.ts'
import { bindWords, mountWord } from './mounts.ts'
import { isUserDefined, networking } from './networking.ts'
import { environment, labelFileWords, pairs } from './pairs.ts'
import { portWords } from './ports.ts'
import { device, gpuRequests, resources } from './resources.ts'

export interface Attachment {
  readonly isInteractive: boolean
  readonly hasTty: boolean
  readonly isDetached: boolean
  /** The streams that are joined; all of them when none was named. */
  readonly streams: readonly Stream[]
  readonly removesItself: boolean
  readonly consoleSize: readonly [rows: number, columns: number] | undefined
}

export type Stream = 'stdin' | 'stdout' | 'stderr'

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
  const joins = (stream: Stream) =>
    !attachment.isDetached &&
    (attachment.streams.length === 0 ? stream !== 'stdin' || attachment.isInteractive : attachment.streams.includes(stream))
  const { mode, config } = networking(flags)
  return compact({
    Image: image,
    Cmd: words.length === 0 ? undefined : words,
    Entrypoint: flags.entrypoint === undefined ? undefined : flags.entrypoint === '' ? [] : [flags.entrypoint],
    Env: environment(flags['env-file'], flags.env, here.env),
    WorkingDir: flags.workdir,
    User: flags.user,
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    Labels: pairs([...labelFileWords(flags['label-file']), ...flags.label]),
    Tty: attachment.hasTty,
    OpenStdin: attachment.isInteractive,
    StdinOnce: attachment.isInteractive && joins('stdin'),
    AttachStdin: joins('stdin'),
    AttachStdout: joins('stdout'),
    AttachStderr: joins('stderr'),
    ExposedPorts: ports.exposed,
    Volumes: mounts.anonymous,
    StopSignal: flags['stop-signal'],
    StopTimeout: flags['stop-timeout'],
    Healthcheck: healthcheck(flags),
    HostConfig: {
      ...hostConfig(flags, attachment, ports.bindings, mounts.binds, here.cwd),
      ...(mode === undefined ? {} : { NetworkMode: mode }),
    },
    NetworkingConfig: config,
  })
}

function hostConfig(flags: CreateFlags, attachment: Attachment, bindings: object, binds: readonly string[], cwd: string) {
  return compact({
    AutoRemove: attachment.removesItself || undefined,
    VolumeDriver: flags['volume-driver'],
    StorageOpt: pairs(flags['storage-opt']),
    UsernsMode: flags.userns,
    Runtime: flags.runtime,
    DeviceRequests: gpuRequests(flags.gpus),
    ConsoleSize: attachment.consoleSize,
    Annotations: pairs(flags.annotation),
    Binds: binds,
    Mounts: flags.mount.map((word) => mountWord(word, cwd)),
    Tmpfs: Object.fromEntries(flags.tmpfs.map((word) => splitOnce(word, ':'))),
    VolumesFrom: flags['volumes-from'],
    PortBindings: bindings,
    PublishAllPorts: flags['publish-all'] || undefined,
    Links: isUserDefined(flags.network[0]) ? undefined : flags.link,
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

export function restartPolicy(word: string | undefined): object | undefined {
  if (word === undefined) return undefined
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(word)
  if (match === null || (match[2] !== undefined && match[1] !== 'on-failure'))
    throw cliError('cli.usage', `--restart: ${JSON.stringify(word)} is none of no, always, unless-stopped, on-failure[:N]`)
  return { Name: match[1], MaximumRetryCount: Number(match[2] ?? 0) }
}

function logConfig(flags: CreateFlags): object | undefined {
  if (flags['log-driver'] === undefined && flags['log-opt'].length === 0) return undefined
  return { Type: flags['log-driver'] ?? '', Config: pairs(flags['log-opt']) }
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

function splitOnce(word: string, mark: string): [string, string] {
  const at = word.indexOf(mark)
  return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
}
