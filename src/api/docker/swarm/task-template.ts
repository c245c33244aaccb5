import { isObject } from '#api/http'
import { hasPlaceholders, unknownPlaceholders } from '#cluster/spec'
import type { HealthSpec, MountSpec, ResourceSpec, SecuritySpec, TaskTemplate, VolumeSpec } from '#cluster/spec'

import { dockerError } from '../errors.ts'
import { mountSpecs } from '../translate/mounts.ts'
import { capabilities } from '../translate/security.ts'
import { ulimits } from '../translate/resources.ts'
import { readerOf, type Reader } from '../translate/read.ts'
import { millis, positive } from './read-number.ts'

/** What a task is made from, but for the networks. `volumes`: those that its mounts name. */
export interface ReadTemplate {
  readonly template: Omit<TaskTemplate, 'networks' | 'namespaces'>
  readonly volumes: readonly VolumeSpec[]
  readonly hasPlaceholders: boolean
}

export function templateOf(task: Reader): ReadTemplate {
  const container = task.inner('ContainerSpec')
  const image = container.text('Image')
  if (image === '')
    throw dockerError(
      'docker.field_invalid',
      'rpc error: code = InvalidArgument desc = ContainerSpec: image reference must be provided',
    )
  const { mounts, volumes } = mountsOf(container)
  const dns = container.inner('DNSConfig')
  const hasInit = container.raw('Init') === true
  const environment = environmentOf(container)
  const hostname = filledIn(container.text('Hostname'), 'Hostname')
  const sources = mounts.flatMap((mount) => (mount.type === 'bind' ? [mount.source] : []))
  const texts = [hostname, ...Object.values(environment), ...sources, ...volumes.map(({ name }) => name)]
  return {
    volumes,
    hasPlaceholders: texts.some((text) => hasPlaceholders(text)),
    template: {
      image,
      entrypoint: full(container.texts('Command')),
      command: full(container.texts('Args')),
      environment,
      user: container.text('User') || null,
      additionalGroups: container.texts('Groups', []),
      workingDir: container.text('Dir') || null,
      hostname: hostname || null,
      domainname: null,
      labels: container.textMap('Labels'),
      annotations: {},
      hasInit,
      hasTty: container.bool('TTY'),
      isStdinOpen: container.bool('OpenStdin'),
      stopSignal: container.text('StopSignal') || null,
      stopGracePeriodMs: millis(container, 'StopGracePeriod'),
      expose: [],
      health: healthOf(container.innerOrNull('Healthcheck')),
      mounts,
      dns: dns.texts('Nameservers', []),
      dnsSearch: dns.texts('Search', []),
      dnsOptions: dns.texts('Options', []),
      extraHosts: container.texts('Hosts', []).flatMap(hostsOf),
      resources: resourcesOf(task.inner('Resources'), container),
      security: securityOf(container),
      log: logOf(task.innerOrNull('LogDriver')),
    },
  }
}

/** With placeholders that the node fills in for each task, and with no others. */
function filledIn(text: string, name: string): string {
  const [unknown] = unknownPlaceholders(text)
  if (unknown !== undefined)
    throw dockerError(
      'docker.field_unsupported',
      `ContainerSpec.${name}: the placeholder ${unknown.slice(0, MAX_SHOWN)} is not supported`,
    )
  return text
}

const MAX_SHOWN = 100

function full(words: readonly string[] | null): readonly string[] | null {
  return words === null || words.length === 0 ? null : words
}

function environmentOf(container: Reader): Readonly<Record<string, string>> {
  const entries = container.texts('Env', []).map((line) => {
    const mark = line.indexOf('=')
    if (mark < 1) throw dockerError('docker.field_unsupported', `ContainerSpec.Env: ${JSON.stringify(line)} has no value`)
    return [line.slice(0, mark), filledIn(line.slice(mark + 1), 'Env')] as const
  })
  return Object.fromEntries(entries)
}

/** Null is inherited from the image. */
function healthOf(health: Reader | null): HealthSpec | null {
  if (health === null) return null
  return {
    test: full(health.texts('Test')),
    intervalMs: millis(health, 'Interval') || null,
    timeoutMs: millis(health, 'Timeout') || null,
    startPeriodMs: millis(health, 'StartPeriod') || null,
    startIntervalMs: millis(health, 'StartInterval') || null,
    retries: positive(health, 'Retries'),
  }
}

function mountsOf(container: Reader): { readonly mounts: readonly MountSpec[]; readonly volumes: readonly VolumeSpec[] } {
  const volumes = new Map<string, VolumeSpec>()
  const nobody = (ref: string) => dockerError('docker.field_invalid', `no container ${ref}`)
  const { mounts: said, originals } = withoutPlaceholders(container.raw('Mounts') ?? [])
  const specs = mountSpecs(readerOf({}), readerOf({ Mounts: said }), [], (ref) => {
    throw nobody(ref)
  })
  const mounts = specs.map((mount): MountSpec => {
    if (mount.type === 'bind') return { ...mount, source: filledIn(mount.source, 'Mounts') }
    if (mount.type === 'tmpfs') return mount
    const { type, target, isReadOnly, isNoCopy, subpath, labels, driver, driverOptions } = mount
    const name = filledIn(originals.get(mount.name) ?? mount.name, 'Mounts')
    if (driver !== 'local') throw dockerError('docker.option_unsupported', `volumes of the driver ${driver} are not supported`)
    const own = { type, target, isReadOnly, isNoCopy, subpath }
    if (name === '') return { ...own, volume: null, labels }
    volumes.set(name, { key: name, name, isExternal: false, driverOptions, labels })
    return { ...own, volume: name }
  })
  return { mounts, volumes: [...volumes.values()] }
}

/** Names of volumes with placeholders are no names yet: others stand in for them while the mounts are read. */
function withoutPlaceholders(mounts: unknown): {
  readonly mounts: unknown
  readonly originals: ReadonlyMap<string, string>
} {
  const originals = new Map<string, string>()
  if (!Array.isArray(mounts)) return { mounts, originals }
  const stand = (mount: unknown, index: number): unknown => {
    if (!isObject(mount) || mount['Type'] !== 'volume') return mount
    const source = mount['Source']
    if (typeof source !== 'string' || !hasPlaceholders(source)) return mount
    originals.set(`placeholders.${index}`, source)
    return { ...mount, Source: `placeholders.${index}` }
  }
  return { mounts: mounts.map(stand), originals }
}

/** `10.0.0.1 host alias`, as in hosts(5). */
function hostsOf(line: string): readonly string[] {
  const [address = '', ...names] = line.trim().split(/\s+/)
  if (names.length === 0) throw dockerError('docker.field_invalid', `ContainerSpec.Hosts: ${JSON.stringify(line)} has no name`)
  return names.map((name) => `${name}:${address}`)
}

function resourcesOf(resources: Reader, container: Reader): ResourceSpec {
  const [limits, reservations] = [resources.inner('Limits'), resources.inner('Reservations')]
  for (const amounts of [limits, reservations]) refuseTooLittle(amounts)
  const oomScoreAdj = container.int('OomScoreAdj') ?? 0
  return {
    memoryBytes: positive(limits, 'MemoryBytes'),
    memorySwapBytes: null,
    memoryReservationBytes: positive(reservations, 'MemoryBytes'),
    nanoCpus: positive(limits, 'NanoCPUs'),
    reservedNanoCpus: positive(reservations, 'NanoCPUs'),
    cpuShares: null,
    cpusetCpus: '',
    pidsLimit: positive(limits, 'Pids'),
    shmBytes: null,
    ulimits: ulimits(container),
    ...(oomScoreAdj === 0 ? {} : { oomScoreAdj }),
  }
}

function securityOf(container: Reader): SecuritySpec {
  const privileges = container.inner('Privileges')
  const seccomp = privileges.inner('Seccomp')
  const mode = seccomp.text('Mode')
  const apparmor = privileges.inner('AppArmor').text('Mode')
  return {
    isPrivileged: false,
    isReadOnlyRoot: container.bool('ReadOnly'),
    capAdd: capabilities(container.texts('CapabilityAdd', []), 'CapabilityAdd'),
    capDrop: capabilities(container.texts('CapabilityDrop', []), 'CapabilityDrop'),
    isNoNewPrivileges: privileges.bool('NoNewPrivileges'),
    isSeccompUnconfined: mode === 'unconfined',
    isSystemPathsUnconfined: false,
    ...(mode === 'custom' ? { seccompProfile: Buffer.from(seccomp.text('Profile'), 'base64').toString('utf8') } : {}),
    ...(apparmor === 'disabled' ? { apparmor: 'unconfined' } : {}),
    sysctls: container.textMap('Sysctls'),
  }
}

const MIN_MEMORY_BYTES = 4 << 20
const MIN_NANO_CPUS = 1_000_000
const NANO = 1_000_000_000

/** As swarm mode does, whatever the kernel would take. */
function refuseTooLittle(amounts: Reader): void {
  const [memoryBytes, nanoCpus] = [positive(amounts, 'MemoryBytes'), positive(amounts, 'NanoCPUs')]
  const refuse = (what: string) => dockerError('docker.field_invalid', `rpc error: code = InvalidArgument desc = invalid ${what}`)
  if (memoryBytes !== null && memoryBytes < MIN_MEMORY_BYTES) throw refuse(`memory value ${memoryBytes}: Must be at least 4MiB`)
  if (nanoCpus !== null && nanoCpus < MIN_NANO_CPUS)
    throw refuse(`cpu value ${nanoCpus / NANO}: Must be at least ${MIN_NANO_CPUS / NANO}`)
}

const LOG_DRIVERS = ['json-file', 'local', 'none'] as const

function logOf(driver: Reader | null): TaskTemplate['log'] {
  const name = driver?.text('Name') ?? ''
  if (driver === null || name === '') return { driver: '', options: {} }
  const known = LOG_DRIVERS.find((one) => one === name)
  if (known === undefined) throw dockerError('docker.option_unsupported', `LogDriver: ${JSON.stringify(name)} is not supported`)
  return { driver: known, options: driver.textMap('Options') }
}
