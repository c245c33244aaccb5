import type { CgroupMode } from './port-cgroups.ts'
import type { MountEntry } from './port-mounts.ts'

/** One mounted tree of control groups. */
export interface CgroupHierarchy {
  readonly version: 1 | 2
  readonly mountPoint: string
  /** Empty for a named v1 hierarchy and for a v2 tree without controllers. */
  readonly controllers: readonly string[]
}

export interface CgroupLayout {
  readonly mode: CgroupMode
  readonly hierarchies: readonly CgroupHierarchy[]
}

const V1_CONTROLLERS: ReadonlySet<string> = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'net_cls',
  'net_prio',
  'perf_event',
  'hugetlb',
  'rdma',
  'misc',
])

/** Works out what is mounted where. `readControllers` gives the text of a v2 tree's cgroup.controllers. */
export function cgroupLayout(mounts: readonly MountEntry[], readControllers: (mountPoint: string) => string): CgroupLayout {
  const byTarget = new Map<string, CgroupHierarchy>()
  for (const mount of mounts) {
    if (mount.type === 'cgroup2')
      byTarget.set(mount.target, {
        version: 2,
        mountPoint: mount.target,
        controllers: readControllers(mount.target).split(/\s+/).filter(Boolean),
      })
    if (mount.type === 'cgroup')
      byTarget.set(mount.target, {
        version: 1,
        mountPoint: mount.target,
        controllers: mount.superOptions.filter((option) => V1_CONTROLLERS.has(option)),
      })
  }
  const hierarchies = firstOfEach([...byTarget.values()])
  const hasV1 = hierarchies.some(({ version }) => version === 1)
  const hasV2 = hierarchies.some(({ version }) => version === 2)
  return { mode: hasV1 ? (hasV2 ? 'hybrid' : 'v1') : 'v2', hierarchies }
}

/** The same hierarchy can be mounted twice (`cpu` and `cpu,cpuacct` as a link): one path to it is enough. */
function firstOfEach(hierarchies: readonly CgroupHierarchy[]): readonly CgroupHierarchy[] {
  const seen = new Set<string>()
  return hierarchies.filter(({ version, controllers, mountPoint }) => {
    const key = version === 2 ? 'v2' : controllers.length === 0 ? mountPoint : controllers.toSorted().join(',')
    return !seen.has(key) && seen.add(key) !== undefined
  })
}

export function hierarchyOf(layout: CgroupLayout, controller: string): CgroupHierarchy | undefined {
  const having = layout.hierarchies.filter(({ controllers }) => controllers.includes(controller))
  return having.find(({ version }) => version === 1) ?? having[0]
}

export function unifiedOf(layout: CgroupLayout): CgroupHierarchy | undefined {
  return layout.hierarchies.find(({ version }) => version === 2)
}
