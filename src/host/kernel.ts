import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os'
import { join } from 'node:path'

import { messageOf, systemCodeOf } from '#base'
import { capabilityNames } from './capabilities.ts'
import { hostError } from './errors.ts'
import type { CgroupMode } from './port-cgroups.ts'
import type { NamespacePort } from './port-network.ts'
import type { KernelFacts, KernelPort } from './port-processes.ts'
import { parseProcFields } from './proc-stat.ts'
import { readBootTimeMs } from './processes.ts'
import { parseLimits } from './rlimits.ts'

/** What may change at all, such as a host's name or the modules that are loaded, changes by hand. Reading all of it takes half a millisecond. */
const FACTS_FRESH_MS = 10_000

export interface KernelOptions {
  readonly namespaces: NamespacePort
  readonly cgroupMode: () => CgroupMode
}

export function linuxKernel({ namespaces, cgroupMode }: KernelOptions): KernelPort {
  // /proc/thread-self/net and /proc/sys/net follow the network namespace of the thread that opens the file.
  const inside = <T>(netnsPin: string | undefined, work: () => T): T =>
    netnsPin === undefined ? work() : namespaces.inNetwork(netnsPin, work)
  const readSysctl = (name: string, netnsPin?: string) => inside(netnsPin, () => readText(sysctlPath(name))?.trim())
  const writeSysctl = (name: string, value: string, netnsPin?: string) =>
    inside(netnsPin, () => {
      try {
        writeFileSync(sysctlPath(name), value, { flag: 'r+' })
      } catch (error) {
        throw hostError(
          'host.sysctl_failed',
          `set ${name} to ${JSON.stringify(value)}: ${systemCodeOf(error) ?? messageOf(error)}`,
          {
            cause: error,
            details: { errno: systemCodeOf(error) },
          },
        )
      }
    })
  let known: { readonly facts: KernelFacts; readonly readMs: number } | undefined
  const facts = (): KernelFacts => {
    const nowMs = performance.now()
    if (known === undefined || nowMs - known.readMs > FACTS_FRESH_MS) known = { facts: readFacts(cgroupMode()), readMs: nowMs }
    return known.facts
  }
  return {
    facts,
    getIpForward: () => ({
      ipv4: readSysctl('net.ipv4.ip_forward') === '1',
      ipv6: readSysctl('net.ipv6.conf.all.forwarding') === '1',
    }),
    setIpForward: (family, isOn) =>
      writeSysctl(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding', isOn ? '1' : '0'),
    // Slashes, since a link's name may have dots.
    setRouteLocalnet: (link, isOn) => writeSysctl(`net/ipv4/conf/${link}/route_localnet`, isOn ? '1' : '0'),
    readSysctl,
    writeSysctl,
  }
}

/** `net.ipv4.ip_forward`, or with slashes where a part of the name has dots, as sysctl(8) takes both. */
function sysctlPath(name: string): string {
  const parts = name.includes('/') ? name.split('/') : name.split('.')
  if (parts.some((part) => part === '' || part === '..' || part === '.'))
    throw hostError('host.sysctl_failed', `${JSON.stringify(name)} is not the name of a sysctl`)
  return join('/proc/sys', ...parts)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function readFacts(cgroupMode: CgroupMode): KernelFacts {
  const status = parseProcFields(readFileSync('/proc/self/status', 'utf8'))
  const memory = parseProcFields(readFileSync('/proc/meminfo', 'utf8'))
  return {
    release: release(),
    architecture: arch(),
    bootId: (readText('/proc/sys/kernel/random/boot_id') ?? '').trim(),
    bootTimeMs: readBootTimeMs(),
    hostname: hostname(),
    memoryBytes: totalmem(),
    swapBytes: Number.parseInt(memory.get('SwapTotal') ?? '0', 10) * 1024,
    cpus: availableParallelism(),
    cgroupMode,
    fileSystems: readFileSync('/proc/filesystems', 'utf8')
      .split('\n')
      .flatMap((line) => line.split('\t')[1] ?? []),
    capabilities: capabilityNames(BigInt(`0x${status.get('CapEff') ?? '0'}`)),
    boundingCapabilities: capabilityNames(BigInt(`0x${status.get('CapBnd') ?? '0'}`)),
    rlimits: parseLimits(readFileSync('/proc/self/limits', 'utf8')),
    hasBridgeNetfilter: existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables'),
    hasSeccomp: status.has('Seccomp'),
    hasAppArmor: readText('/sys/module/apparmor/parameters/enabled')?.trim() === 'Y',
    hasSelinux: existsSync('/sys/fs/selinux/enforce'),
  }
}
