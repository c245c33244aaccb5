import type { Context } from './context.ts'
import { publish } from './create.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import type { Containers } from './port.ts'
import type { ResourceSpec } from './spec.ts'
import { planUpdate } from './update-plan.ts'

/** New limits, in the record and, when it runs, in its cgroup. The kernel has its say first: what it refuses is not recorded. */
export async function updateContainer(
  context: Context,
  live: LiveContainer,
  change: Parameters<Containers['update']>[1],
): Promise<readonly string[]> {
  const { record } = live
  if (record.spec.shouldAutoRemove && change.restart !== null && change.restart.name !== 'no')
    throw containerError(
      'container.removes_itself',
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    )
  const resources: ResourceSpec = { ...record.spec.resources, ...change.resources }
  const limits = planUpdate(change.resources, resources)
  if (live.process !== null && Object.keys(limits).length > 0) await context.runtime.update(record.id, limits)
  context.registry.replace(live, {
    ...live.record,
    spec: { ...record.spec, resources, restart: change.restart ?? record.spec.restart },
  })
  publish(context, live.record, 'update')
  return []
}
