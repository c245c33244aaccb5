import type { KernelFacts, KernelPort } from '../port-processes.ts'
import type { Recorder } from './record.ts'

export interface FakeKernelOptions {
  readonly facts?: Partial<KernelFacts>
}

const FACTS: KernelFacts = {
  release: '6.12.0',
  architecture: 'x64',
  bootId: '00000000-0000-4000-8000-000000000000',
  bootTimeMs: 1_700_000_000_000,
  hostname: 'fake',
  memoryBytes: 8 * 1024 ** 3,
  swapBytes: 0,
  cpus: 4,
  cgroupMode: 'v2',
  fileSystems: ['ext4', 'erofs', 'overlay', 'tmpfs'],
  capabilities: ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'],
  boundingCapabilities: ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'],
  rlimits: { nofile: { soft: 1024, hard: 1_048_576 } },
  hasBridgeNetfilter: true,
  hasSeccomp: true,
  hasAppArmor: false,
  hasSelinux: false,
}

export function fakeKernel({ record }: Recorder, options: FakeKernelOptions): KernelPort {
  const sysctls = new Map<string, string>([
    ['net.ipv4.ip_forward', '0'],
    ['net.ipv6.conf.all.forwarding', '0'],
  ])
  const key = (name: string, pin: string | undefined) => (pin === undefined ? name : `${pin} ${name}`)
  const write = (name: string, value: string, pin?: string) => {
    record('kernel.writeSysctl', name, value, pin)
    sysctls.set(key(name, pin), value)
  }
  return {
    facts: () => ({ ...FACTS, ...options.facts }),
    getIpForward: () => ({
      ipv4: sysctls.get('net.ipv4.ip_forward') === '1',
      ipv6: sysctls.get('net.ipv6.conf.all.forwarding') === '1',
    }),
    setIpForward: (family, isOn) =>
      write(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding', isOn ? '1' : '0'),
    setRouteLocalnet: (link, isOn) => write(`net/ipv4/conf/${link}/route_localnet`, isOn ? '1' : '0'),
    readSysctl: (name, pin) => sysctls.get(key(name, pin)),
    writeSysctl: write,
  }
}
