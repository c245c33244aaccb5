import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { arch } from 'node:os'

import type { EngineFacts, EngineHost, EngineSystem, EngineVersion, LimitSupport } from '#api/docker'
import { policyText } from '#engine/collection'
import type { DefaultPool } from '#engine/network'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'

import type { DaemonOptions } from './arguments.ts'
import { limitSupport } from './limit-support.ts'
import { PROGRAM_VERSION } from './program-version.ts'

export interface SystemNeeds {
  readonly root: string
  readonly host: Host
  readonly snapshots: Snapshots
  readonly ociRuntimePath: string
  /** Of this daemon, for ever. */
  readonly id: string
  /** Clients that follow events now. */
  readonly eventListeners: () => number
  readonly settings: () => Pick<
    DaemonOptions,
    'collection' | 'registries' | 'labels' | 'logLevel' | 'containerLog' | 'addressPools' | 'usernsRemap'
  >
}

/** What the daemon and its host are, for `version` and `info`. */
export function engineSystem(needs: SystemNeeds): EngineSystem {
  const { host } = needs
  let facts: EngineFacts | undefined
  return {
    version: () => versionOf(needs),
    info: () => hostOf(needs),
    facts: () => (facts ??= factsOf(needs)),
    limitSupport: () => limitSupport(host),
    // Moving a process between cgroups waits for the kernel after a quiet spell: let that happen while the client's next request travels.
    expectWork: () => void host.cgroups.warm(),
  }
}

function versionOf({ host, ociRuntimePath }: SystemNeeds): EngineVersion {
  const facts = host.kernel.facts()
  return {
    version: PROGRAM_VERSION,
    gitCommit: '',
    buildTime: '',
    kernelVersion: facts.release,
    architecture: goArchitecture(),
    components: [
      { name: 'Node.js', version: process.versions.node, details: {} },
      { name: 'crun', version: runtimeVersion(ociRuntimePath), details: { Path: ociRuntimePath } },
    ],
  }
}

function factsOf({ host, ociRuntimePath }: Pick<SystemNeeds, 'host' | 'ociRuntimePath'>): EngineFacts {
  const { cpus, memoryBytes, hasAppArmor } = host.kernel.facts()
  return { cpus, memoryBytes, hasAppArmor, storageDriver: 'overlay2', runtimes: { crun: ociRuntimePath } }
}

/** The first line reads `crun version 1.8.1`. */
function runtimeVersion(path: string): string {
  try {
    return /version (\S+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 5000 }))?.[1] ?? 'unknown'
  } catch {
    return 'not found'
  }
}

function hostOf({ root, host, snapshots, ociRuntimePath, id, eventListeners, settings }: SystemNeeds): EngineHost {
  const facts = host.kernel.facts()
  const { collection, registries, labels, logLevel, containerLog, addressPools, usernsRemap } = settings()
  const limits = limitSupport(host)
  const forwarding = host.kernel.getIpForward()
  const os = osRelease()
  const { hasAppArmor, ...constant } = factsOf({ host, ociRuntimePath })
  return {
    ...constant,
    id,
    hostname: facts.hostname,
    rootDir: root,
    kernelVersion: facts.release,
    operatingSystem: os['PRETTY_NAME'] ?? 'Linux',
    osVersion: os['VERSION_ID'] ?? '',
    architecture: arch() === 'x64' ? 'x86_64' : arch() === 'arm64' ? 'aarch64' : arch(),
    cgroupVersion: facts.cgroupMode === 'v2' ? '2' : '1',
    cgroupDriver: 'cgroupfs',
    storageStatus: [
      ['Layers', snapshots.kind === 'erofs' ? 'mounted in place (EROFS)' : 'unpacked directories'],
      ['Backing Filesystem', host.files.space(root).type],
      ['Garbage Collection', policyText(collection)],
      ...(usernsRemap === undefined ? [] : [['User Remapping', usernsRemap] as const]),
    ],
    defaultRuntime: 'crun',
    securityOptions: [
      ...(hasAppArmor ? ['name=apparmor'] : []),
      ...(usernsRemap === undefined ? [] : ['name=userns']),
      ...(facts.hasSeccomp ? ['name=seccomp,profile=builtin'] : []),
      // Of its own, unless a container asks for the host's.
      ...(existsSync('/proc/self/ns/cgroup') ? ['name=cgroupns'] : []),
    ],
    networkDrivers: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
    labels,
    logDriver: containerLog.driver,
    registries,
    addressPools: addressPools.map(poolText),
    warnings: warningsOf(limits, forwarding),
    hasMemoryLimit: limits.hasMemory,
    hasSwapLimit: limits.hasSwap,
    hasCpuQuota: limits.hasCpuQuota,
    hasCpuShares: limits.hasCpuShares,
    hasCpuset: limits.hasCpuset,
    hasPidsLimit: limits.hasPids,
    hasOomKillDisable: limits.hasOomKillDisable,
    hasBridgeNetfilter: { ipv4: facts.hasBridgeNetfilter, ipv6: facts.hasBridgeNetfilter },
    hasIpv4Forwarding: forwarding.ipv4,
    isDebug: logLevel === 'debug',
    isLiveRestoring: true,
    eventListeners: eventListeners(),
    openFiles: readdirSync('/proc/self/fd').length,
  }
}

/** In dockerd's words, which clients print as they are. What cgroup v2 never has is no lack. */
function warningsOf(limits: LimitSupport, forwarding: { readonly ipv4: boolean }): readonly string[] {
  const lacks: readonly (readonly [boolean, string])[] = [
    [limits.hasMemory, 'No memory limit support'],
    [limits.hasSwap, 'No swap limit support'],
    [limits.hasCpuQuota, 'No cpu cfs quota support'],
    [limits.hasCpuShares, 'No cpu shares support'],
    [limits.hasCpuset, 'No cpuset support'],
    [limits.hasPids, 'No pids limit support'],
    [forwarding.ipv4, 'IPv4 forwarding is disabled'],
  ]
  return lacks.filter(([isThere]) => !isThere).map(([, text]) => `WARNING: ${text}`)
}

function poolText({ first, prefixLength, count }: DefaultPool): { readonly base: string; readonly size: number } {
  return { base: `${first}/${prefixLength - Math.log2(count)}`, size: prefixLength }
}

function goArchitecture(): string {
  return arch() === 'x64' ? 'amd64' : arch()
}

/** os-release(5) */
function osRelease(): Readonly<Record<string, string>> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)
    return Object.fromEntries([...lines].map(([, name, value]) => [name ?? '', (value ?? '').replace(/^"(.*)"$/, '$1')]))
  } catch {
    return {}
  }
}
