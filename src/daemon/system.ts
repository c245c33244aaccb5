import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { arch } from 'node:os'

import type { EngineHost, EngineSystem, EngineVersion } from '#api/docker'
import { policyText, type CollectionPolicy } from '#engine/collection'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'

import { limitSupport } from './limit-support.ts'
import { PROGRAM_VERSION } from './program-version.ts'

export interface SystemNeeds {
  readonly root: string
  readonly host: Host
  readonly snapshots: Snapshots
  readonly ociRuntimePath: string
  /** The users of containers are others on the host. */
  readonly isRemapped: boolean
  /** Of this daemon, for ever. */
  readonly id: string
  /** Clients that follow events now. */
  readonly eventListeners: () => number
  readonly collection: CollectionPolicy
}

/** What the daemon and its host are, for `version` and `info`. */
export function engineSystem(needs: SystemNeeds): EngineSystem {
  const { host } = needs
  return {
    version: () => versionOf(needs),
    info: () => hostOf(needs),
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

/** The first line reads `crun version 1.8.1`. */
function runtimeVersion(path: string): string {
  try {
    return /version (\S+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 5000 }))?.[1] ?? 'unknown'
  } catch {
    return 'not found'
  }
}

function hostOf({ root, host, snapshots, ociRuntimePath, id, eventListeners, collection, isRemapped }: SystemNeeds): EngineHost {
  const facts = host.kernel.facts()
  const { controllers } = host.cgroups
  const has = (name: string) => controllers.includes(name)
  const os = osRelease()
  return {
    id,
    hostname: facts.hostname,
    rootDir: root,
    kernelVersion: facts.release,
    operatingSystem: os['PRETTY_NAME'] ?? 'Linux',
    osVersion: os['VERSION_ID'] ?? '',
    architecture: arch() === 'x64' ? 'x86_64' : arch() === 'arm64' ? 'aarch64' : arch(),
    cpus: facts.cpus,
    memoryBytes: facts.memoryBytes,
    cgroupVersion: facts.cgroupMode === 'v2' ? '2' : '1',
    cgroupDriver: 'cgroupfs',
    storageDriver: 'overlay2',
    storageStatus: [
      ['Layers', snapshots.kind === 'erofs' ? 'mounted in place (EROFS)' : 'unpacked directories'],
      ['Backing Filesystem', host.files.space(root).type],
      ['Garbage Collection', policyText(collection)],
    ],
    runtimes: { crun: ociRuntimePath },
    defaultRuntime: 'crun',
    securityOptions: [
      ...(facts.hasAppArmor ? ['name=apparmor'] : []),
      ...(isRemapped ? ['name=userns'] : []),
      ...(facts.hasSeccomp ? ['name=seccomp,profile=builtin'] : []),
    ],
    networkDrivers: ['bridge', 'host', 'null'],
    labels: [],
    warnings: [],
    hasMemoryLimit: has('memory'),
    hasSwapLimit: has('memory'),
    hasCpuQuota: has('cpu'),
    hasCpuShares: has('cpu'),
    hasCpuset: has('cpuset'),
    hasPidsLimit: has('pids'),
    hasOomKillDisable: facts.cgroupMode !== 'v2' && has('memory'),
    hasBridgeNetfilter: { ipv4: facts.hasBridgeNetfilter, ipv6: facts.hasBridgeNetfilter },
    hasIpv4Forwarding: host.kernel.getIpForward().ipv4,
    isDebug: false,
    isLiveRestoring: true,
    eventListeners: eventListeners(),
    openFiles: readdirSync('/proc/self/fd').length,
  }
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
