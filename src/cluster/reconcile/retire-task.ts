import type { PlanWriter } from './plan-writer.ts'
import { isAlive, type TaskView } from './stack-view.ts'
import type { Snapshot } from './steps.ts'

/** How long open connections may keep a task that is to go. Longer ones are cut: a pool of idle ones would hold it for ever. */
const DRAIN_MS = 5000
/** After this the router has surely taken it out, and the count of connections means something. */
const DRAIN_SETTLE_MS = 100
/** How often connections are counted while draining. */
const DRAIN_POLL_MS = 200

export interface Retirement {
  readonly stack: string
  readonly service: string | null
  readonly reason: string
  /** Others serve in its place: let its connections end first. */
  readonly shouldDrain: boolean
  /** `remove` what is left of it, or `start` it again. */
  readonly end: 'remove' | 'start'
}

/** The next step on the way of a task out: drain, stop, remove. */
export function retireTask(view: TaskView, retirement: Retirement, snapshot: Snapshot, out: PlanWriter): void {
  const { task } = view
  const { stack, service, reason } = retirement
  const place = { subject: `task/${task.name}`, stack, service, reason }
  if (task.state === 'removing') return out.wait({ ...place, task: task.name, reason: `${task.name} is being removed` })
  if (!isAlive(view)) return retirement.end === 'remove' ? out.step({ ...place, type: 'remove-task', id: task.id }) : undefined
  const stop = () => out.step({ ...place, type: 'stop-task', id: task.id, thenStart: retirement.end === 'start' })
  if (!retirement.shouldDrain || task.state !== 'running') return stop()
  const sinceMs = snapshot.memory.draining.get(task.id)
  if (sinceMs === undefined) return out.step({ ...place, type: 'drain-task', id: task.id })
  const drainedMs = snapshot.nowMs - sinceMs
  const open = snapshot.connections.get(task.name) ?? 0
  if (drainedMs >= DRAIN_MS || (drainedMs >= DRAIN_SETTLE_MS && open === 0)) return stop()
  out.wait({
    ...place,
    task: task.name,
    reason: `${task.name} finishes ${open} open connection${open === 1 ? '' : 's'} before it stops`,
    untilMs: Math.min(sinceMs + DRAIN_MS, Math.max(sinceMs + DRAIN_SETTLE_MS, snapshot.nowMs + DRAIN_POLL_MS)),
  })
}
