import type { HostFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { findings } from './findings.ts'
import type { HostProbe } from './probe.ts'
import {
  readAvailableMemory,
  readCapabilities,
  readCgroups,
  readCrunVersion,
  readFileSystems,
  readForward,
  readHardLimit,
  readKernelOption,
  readNameservers,
} from './read-facts.ts'

export interface ExamineOptions {
  /** Where images and volumes are, or would be. */
  readonly root: string
  readonly snapshotDriver: { readonly name: string; readonly reason: string } | null
}

/** Looks at the host and says what it found. */
export async function examine(probe: HostProbe, options: ExamineOptions): Promise<readonly Finding[]> {
  return findings(await gatherFacts(probe, options))
}

const PROGRAMS = ['crun', 'nft', 'haproxy', 'mmdebstrap', 'ip', 'nsenter', 'unshare', 'mount']

async function gatherFacts(probe: HostProbe, { root, snapshotDriver }: ExamineOptions): Promise<HostFacts> {
  const text = (path: string) => probe.readText(path) ?? ''
  const modules = `/lib/modules/${probe.kernelRelease}`
  const config = probe.readText(`/boot/config-${probe.kernelRelease}`) ?? (await probe.run('zcat', ['/proc/config.gz']))
  const space = probe.space(root)
  const forward = text('/proc/sys/net/ipv4/ip_forward').trim()
  return {
    kernelRelease: probe.kernelRelease,
    architecture: probe.architecture,
    cpus: probe.cpus,
    memoryBytes: probe.memoryBytes,
    availableMemoryBytes: readAvailableMemory(text('/proc/meminfo')),
    isRoot: probe.isRoot,
    fileSystems: readFileSystems(text('/proc/filesystems'), text(`${modules}/modules.dep`), text(`${modules}/modules.builtin`)),
    isErofsOnFilesBuilt: readKernelOption(config, 'CONFIG_EROFS_FS_BACKED_BY_FILE'),
    cgroup: readCgroups(text('/proc/self/mountinfo'), text('/proc/cgroups'), text('/sys/fs/cgroup/cgroup.controllers')),
    capabilities: readCapabilities(text('/proc/self/status')),
    nofileHard: readHardLimit(text('/proc/self/limits'), 'Max open files'),
    crunVersion: readCrunVersion(await probe.run('crun', ['--version'])),
    missingPrograms: PROGRAMS.filter((name) => !probe.hasProgram(name)),
    forward: probe.isRoot ? await forwardOf(probe) : null,
    isIpForwardOn: forward === '' ? null : forward === '1',
    disk: space === null ? null : { path: root, ...space },
    nameservers: readNameservers(text('/etc/resolv.conf')),
    hasSeccomp: /^Seccomp:/m.test(text('/proc/self/status')),
    nowMs: probe.nowMs(),
    knownPastMs: probe.modifiedMs(process.execPath),
    snapshotDriver,
  }
}

/** The kernel names tables of the old iptables only once they were used; asking iptables itself would make them. */
async function forwardOf(probe: HostProbe): Promise<HostFacts['forward']> {
  const isLegacyUsed = (probe.readText('/proc/net/ip_tables_names') ?? '').split('\n').includes('filter')
  const legacy = isLegacyUsed ? await probe.run('iptables-legacy', ['-w', '5', '-S']) : null
  return readForward(await probe.run('nft', ['-j', 'list', 'chains']), legacy)
}
