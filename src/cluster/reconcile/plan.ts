import { planRoutes } from './plan-routes.ts'
import { planService } from './plan-service.ts'
import { planWriter, type PlanWriter } from './plan-writer.ts'
import { retireTask } from './retire-task.ts'
import { viewStack, type StackView, type TaskView } from './stack-view.ts'
import type { Plan, Snapshot } from './steps.ts'
import { nodeNetwork, nodeVolume } from './task-spec.ts'

/**
 * From what is wanted and what is there to the next steps. Pure. What is wanted and there plans nothing; carrying out the steps of plan after
 * plan leads there. Containers that are not of a known stack are never touched, and a volume goes only with a stack whose removal says so.
 */
export function planReconcile(snapshot: Snapshot): Plan {
  const out = planWriter(snapshot)
  const views = snapshot.stacks.map((record) => viewStack(record, snapshot))
  for (const stack of views) {
    if (stack.record.state === 'removing') planRemoval(stack, snapshot, out)
    else planActive(stack, snapshot, out)
  }
  const routes = views.filter((stack) => stack.record.state === 'active').flatMap(planRoutes)
  return { steps: out.steps, waits: out.waits, routes }
}

function planActive(stack: StackView, snapshot: Snapshot, out: PlanWriter): void {
  const { spec } = stack.record
  const place = { stack: spec.name, service: null, reason: 'it does not exist' }
  for (const network of spec.networks) {
    if (network.isExternal || snapshot.networks.includes(network.name)) continue
    out.step({ ...place, type: 'create-network', subject: `network/${network.name}`, network: nodeNetwork(spec, network) })
  }
  for (const volume of spec.volumes) {
    if (volume.isExternal || snapshot.volumes.includes(volume.name)) continue
    out.step({ ...place, type: 'create-volume', subject: `volume/${volume.name}`, volume: nodeVolume(spec, volume) })
  }
  for (const view of stack.orphans) {
    retireTask(view, { ...place, reason: 'its service is gone from the stack', shouldDrain: false, end: 'remove' }, snapshot, out)
  }
  for (const service of stack.services) planService(stack, service, snapshot, out)
  for (const [id, reason] of snapshot.memory.routeFailures) {
    const [stackName, service] = id.split('/')
    if (stackName === spec.name) out.wait({ stack: spec.name, service: service ?? null, task: null, reason, isHopeless: true })
  }
}

/** Tasks first, those that others depend on last; then networks; then volumes, if that was asked for. */
function planRemoval(stack: StackView, snapshot: Snapshot, out: PlanWriter): void {
  const { spec, removeVolumes } = stack.record
  const place = { stack: spec.name, service: null, reason: 'the stack is removed' }
  const tasks = [...stack.orphans, ...stack.services.flatMap((service) => service.tasks)]
  for (const view of stack.orphans) retire(view)
  for (const service of stack.services) {
    const isNeeded = stack.services.some(
      (other) => other.tasks.length > 0 && other.spec.dependsOn.some((dependency) => dependency.service === service.spec.name),
    )
    if (!isNeeded) service.tasks.forEach(retire)
  }
  const isCreating = stack.services.some((service) => service.pendingNumbers.length > 0)
  if (tasks.length > 0 || isCreating) return out.wait({ ...place, task: null, reason: 'its tasks are being removed' })
  const networks = spec.networks.filter((network) => !network.isExternal && snapshot.networks.includes(network.name))
  for (const { name } of networks) out.step({ ...place, type: 'remove-network', subject: `network/${name}`, name })
  const volumes = removeVolumes
    ? spec.volumes.filter((volume) => !volume.isExternal && snapshot.volumes.includes(volume.name))
    : []
  for (const { name } of volumes) out.step({ ...place, type: 'remove-volume', subject: `volume/${name}`, name })
  if (networks.length + volumes.length === 0) out.step({ ...place, type: 'forget-stack', subject: `stack/${spec.name}` })

  function retire(view: TaskView): void {
    retireTask(view, { ...place, shouldDrain: false, end: 'remove' }, snapshot, out)
  }
}
