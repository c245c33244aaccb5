import type { Context } from './context.ts'
import { publish } from './create.ts'
import type { LiveContainer } from './live.ts'
import { cgroupPathOf } from './paths.ts'
import type { Containers } from './port.ts'
import type { ResourceSpec } from './spec.ts'

const CPU_PERIOD_US = 100_000

/** New limits, in the record and, when it runs, in its cgroup. */
export async function updateContainer(
  context: Context,
  live: LiveContainer,
  change: Parameters<Containers['update']>[1],
): Promise<readonly string[]> {
  const { record } = live
  const resources: ResourceSpec = { ...record.spec.resources, ...change.resources }
  if (live.process !== null) {
    context.host.cgroups.setLimits(cgroupPathOf(context, record.id, record.spec.resources.cgroupParent), {
      memoryBytes: resources.memoryBytes,
      cpuPeriodUs: resources.cpuPeriodUs ?? CPU_PERIOD_US,
      cpuQuotaUs: quotaOf(resources),
      pids: resources.pidsLimit === -1 ? null : resources.pidsLimit,
    })
  }
  context.registry.replace(live, {
    ...record,
    spec: { ...record.spec, resources, restart: change.restart ?? record.spec.restart },
  })
  publish(context, live.record, 'update')
  return await Promise.resolve([])
}

function quotaOf(resources: ResourceSpec): number | null {
  if (resources.nanoCpus !== null) return Math.round((resources.nanoCpus / 1e9) * (resources.cpuPeriodUs ?? CPU_PERIOD_US))
  return resources.cpuQuotaUs
}
