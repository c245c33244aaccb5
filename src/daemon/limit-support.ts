import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { LimitSupport } from '#api/docker'
import type { Host } from '#host'

/** Where crun expects the trees of control groups. */
const CGROUP_ROOT = '/sys/fs/cgroup'
/** The groups of all instances: some files are in no root. */
const OWN_GROUP = 'glovebox'

/** Reads which limits the kernel has files for. */
export function limitSupport(host: Pick<Host, 'cgroups'>): LimitSupport {
  const { mode, controllers } = host.cgroups
  const has = (controller: string) => controllers.includes(controller)
  return mode === 'v2' ? unified(has) : legacy(has)
}

function legacy(has: (controller: string) => boolean): LimitSupport {
  const hasFile = (...path: readonly string[]) => existsSync(join(CGROUP_ROOT, ...path))
  const hasBlkio = (name: string) => hasFile('blkio', OWN_GROUP, name)
  return {
    hasMemory: has('memory'),
    hasSwap: hasFile('memory/memory.memsw.limit_in_bytes'),
    hasSwappiness: hasFile('memory/memory.swappiness'),
    hasOomKillDisable: hasFile('memory/memory.oom_control'),
    hasPids: has('pids'),
    hasCpuShares: hasFile('cpu/cpu.shares'),
    hasCpuQuota: hasFile('cpu/cpu.cfs_quota_us'),
    hasCpuRealtime: hasFile('cpu/cpu.rt_runtime_us'),
    hasCpuset: has('cpuset'),
    availableCpus: readList('cpuset/cpuset.cpus'),
    availableMems: readList('cpuset/cpuset.mems'),
    // Kernels since 5.0 have them under BFQ's name alone, which crun 1.8 does not write and dockerd does not look for.
    hasBlkioWeight: hasBlkio('blkio.weight'),
    hasBlkioWeightDevice: hasBlkio('blkio.weight_device'),
    hasBlkioThrottle: hasFile('blkio/blkio.throttle.read_bps_device'),
  }
}

function unified(has: (controller: string) => boolean): LimitSupport {
  const hasFile = (name: string) => existsSync(join(CGROUP_ROOT, OWN_GROUP, name))
  return {
    hasMemory: has('memory'),
    hasSwap: hasFile('memory.swap.max'),
    hasSwappiness: false,
    hasOomKillDisable: false,
    hasPids: has('pids'),
    hasCpuShares: has('cpu'),
    hasCpuQuota: has('cpu'),
    hasCpuRealtime: false,
    hasCpuset: has('cpuset'),
    availableCpus: readList('cpuset.cpus.effective'),
    availableMems: readList('cpuset.mems.effective'),
    hasBlkioWeight: hasFile('io.weight') || hasFile('io.bfq.weight'),
    // crun 1.8 writes it for v1 alone.
    hasBlkioWeightDevice: false,
    hasBlkioThrottle: has('io'),
  }
}

function readList(path: string): string {
  try {
    return readFileSync(join(CGROUP_ROOT, path), 'utf8').trim()
  } catch {
    // Not there: the processors and nodes are then the kernel's to check.
    return ''
  }
}
