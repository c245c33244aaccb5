import type { Clock } from '#base'

import type { AssignedTask, CheckVerdict } from './assigned-task.ts'
import {
  afterProbe,
  dueChecks,
  firstChecks,
  nextCheckAtMs,
  verdictOf,
  type CheckKind,
  type CheckPort,
  type TaskChecks,
} from './checks.ts'
import type { NodeTask } from './node-port.ts'
import { checksOf, LISTEN_PATIENCE_MS } from './routed-ports.ts'

/** Probes the tasks that have checks, each at its own times. */
export interface CheckLoop {
  /** Begins the probes that are due; gives back when the next ones are. `done` is called when one ended. */
  look(tasks: readonly { readonly assigned: AssignedTask; readonly container: NodeTask }[], done: () => void): number
  verdicts(): ReadonlyMap<string, CheckVerdict>
}

/** At the same time: each is a connection, or a process in a container. */
const MAX_PROBES = 32

function started(checks: TaskChecks): TaskChecks {
  return checks.startup === undefined ? checks : { ...checks, startup: { ...checks.startup, isGood: true } }
}

export function checkLoop(port: CheckPort, clock: Clock): CheckLoop {
  const all = new Map<string, TaskChecks>()
  let probing = 0

  const begin = (
    id: string,
    { assigned, container }: { assigned: AssignedTask; container: NodeTask },
    kind: CheckKind,
    done: () => void,
  ) => {
    const spec = checksOf(assigned, container)[kind]
    const state = all.get(id)?.[kind]
    if (spec === null || state === undefined) return
    probing += 1
    all.set(id, { ...all.get(id), [kind]: { ...state, isProbing: true } })
    const target = { containerId: container.id, addresses: container.addresses }
    void port
      .probe(target, spec.probe, spec.timeoutMs)
      .catch((error: unknown) => ({ isGood: false, output: String(error) }))
      .then((result) => {
        probing -= 1
        const now = all.get(id)?.[kind]
        if (now === undefined) return
        all.set(id, { ...all.get(id), [kind]: afterProbe(now, spec, result, clock.nowMs()) })
        done()
      })
  }
  return {
    verdicts: () => new Map([...all].map(([id, checks]) => [id, verdictOf(checks)])),
    look: (tasks, done) => {
      const nowMs = clock.nowMs()
      const running = new Set(tasks.map(({ assigned }) => assigned.task.id))
      for (const id of all.keys()) if (!running.has(id)) all.delete(id)
      let nextAtMs = Number.POSITIVE_INFINITY
      for (const one of tasks) {
        const { task, revision } = one.assigned
        const spec = checksOf(one.assigned, one.container)
        if (spec.startup === null && spec.readiness === null && spec.liveness === null) continue
        const startedAtMs = one.container.startedAtMs ?? nowMs
        const isImplied = spec !== revision.spec.checks
        const before = all.get(task.id) ?? firstChecks(spec, startedAtMs, task.status.isReady)
        const known = isImplied && nowMs - startedAtMs >= LISTEN_PATIENCE_MS ? started(before) : before
        all.set(task.id, known)
        for (const kind of dueChecks(known, nowMs)) if (probing < MAX_PROBES) begin(task.id, one, kind, done)
        nextAtMs = Math.min(nextAtMs, nextCheckAtMs(all.get(task.id) ?? known))
      }
      return nextAtMs
    },
  }
}
