import type { Desk } from './desk.ts'
import type { PendingTask } from './port.ts'
import type { Scheduler } from './scheduler.ts'

/** A task that has a node in mind, and waits there for others to end. */
export interface Nomination {
  readonly pending: PendingTask
  readonly nodeId: string
  readonly reason: string
  /** Tasks whose end makes the room. */
  readonly waitsFor: readonly string[]
}

/**
 * What became of each: the room is there (`free`), all that it waited for is gone and still there is none, or the node is closed (`lost`), the task is not wanted
 * any more (`gone`). The others go on waiting: the scheduler counts them where they will be, so that nobody takes what is freed for them.
 */
export function judgeNominations(
  nominations: ReadonlyMap<string, Nomination>,
  desk: Desk,
  scheduler: Scheduler,
): { readonly free: readonly Nomination[]; readonly lost: readonly Nomination[]; readonly gone: readonly Nomination[] } {
  const [free, lost, gone]: Nomination[][] = [[], [], []]
  for (const [id, nomination] of nominations) {
    const { nodeId, pending, waitsFor } = nomination
    if (!desk.waiting.has(id)) gone?.push(nomination)
    else if (!scheduler.isOpen(nodeId, pending.group)) lost?.push(nomination)
    else if (scheduler.isSound(nodeId)) free?.push(nomination)
    else if (!waitsFor.some((other) => scheduler.nodeOf(other) === nodeId)) lost?.push(nomination)
  }
  return { free: free ?? [], lost: lost ?? [], gone: gone ?? [] }
}
