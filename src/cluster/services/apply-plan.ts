import { unreachable, type Random } from '#base'
import { historyPuts, isTelling, rolloutEvents } from '#cluster/history'
import { ITSELF, keyOf, type HistoryEvent, type ServiceRecord, type TaskRecord } from '#cluster/model'
import { MAX_WRITES, type Transaction } from '#cluster/store'

import type { ServicePlan, ServiceStep, TaskDraft } from './service-plan.ts'
import type { ClusterState, ServiceState } from './service-state.ts'

/** Of one transaction: what is left comes with the next plan. */
const MAX_STEPS = 2000
/** When a hundred tasks crash at once, each tells the same. */
const MAX_EVENTS = 20

export interface Revisions {
  /** Revision of a key as the plan saw it; 0: it was not there. */
  revisionOf(key: string): number
}

/**
 * What a plan writes: all of it or nothing, and only if everything that it was made from is still so. Two loops that plan the same service at once cannot both
 * succeed: each writes the service's turn.
 */
export function transactionOf(
  state: ServiceState,
  cluster: ClusterState,
  plan: ServicePlan,
  { revisions, random }: { readonly revisions: Revisions; readonly random: Random },
): Transaction {
  const { service } = state
  const serviceKey = keyOf('service', service.id)
  const turnKey = keyOf('turn', service.id)
  const steps = plan.steps.slice(0, MAX_STEPS)
  const puts = new Map<string, unknown>([[turnKey, { atMs: cluster.nowMs }]])
  const deletes = new Set<string>()
  const taskNow = (task: TaskRecord) => (puts.get(keyOf('task', task.id)) as TaskRecord | undefined) ?? task
  for (const step of steps) write(step)
  for (const key of deletes) puts.delete(key)
  const happened = { service, actor: ITSELF, atMs: cluster.nowMs, random }
  const told = historyPuts(happened, steps.flatMap((step) => eventsOf(step, service)).slice(0, MAX_EVENTS))
  // The plan counted all of its tasks: if one changed, the count may be another one.
  const counted = state.tasks.length < MAX_WRITES - 2 ? state.tasks.map((task) => keyOf('task', task.id)) : []
  const keys = new Set([serviceKey, turnKey, ...counted, ...puts.keys(), ...deletes])
  return {
    conditions: [...keys].slice(0, MAX_WRITES).map((key) => ({ key, revision: revisions.revisionOf(key) })),
    puts: [...[...puts].map(([key, value]) => ({ key, value })), ...told],
    deletes: [...deletes],
  }

  function write(step: ServiceStep): void {
    switch (step.type) {
      case 'create-task': {
        const task = newTask(service.id, step.task, step.reason, cluster.nowMs, random)
        return void puts.set(keyOf('task', task.id), task)
      }
      case 'start-task':
        return change(step.task, { desiredState: 'running', startAfterMs: 0, ...(step.isForgiven ? { failures: 0 } : {}) })
      case 'end-task':
        return change(step.task, { desiredState: step.desiredState, reason: step.reason })
      case 'orphan-task':
      case 'close-task': {
        const state = step.type === 'orphan-task' ? ('orphaned' as const) : ('shutdown' as const)
        const ended = { state, sinceMs: cluster.nowMs, message: step.reason, isReady: false, readySinceMs: null }
        return change(step.task, { status: { ...step.task.status, ...ended }, reason: step.reason })
      }
      case 'forget-task':
        return void deletes.add(keyOf('task', step.task.id))
      case 'forget-revision':
        return void deletes.add(keyOf('revision', service.id, step.revision.number))
      case 'change-service':
        return void puts.set(serviceKey, step.service)
      case 'forget-service':
        for (const number of state.revisions.keys()) deletes.add(keyOf('revision', service.id, number))
        deletes.add(serviceKey)
        deletes.add(keyOf('name', 'service', service.name))
        return void deletes.add(turnKey)
      default:
        return unreachable(step)
    }
  }

  function change(task: TaskRecord, to: Partial<TaskRecord>): void {
    puts.set(keyOf('task', task.id), { ...taskNow(task), ...to, updatedAtMs: cluster.nowMs })
  }
}

/** What of a step stands in the history. It is true exactly when the step is written. */
function eventsOf(step: ServiceStep, before: ServiceRecord): readonly HistoryEvent[] {
  if (step.type === 'change-service') return rolloutEvents(before.rollout, step.service.rollout)
  if (step.type !== 'create-task' || !isTelling(step.task.failures)) return []
  const { slot, nodeId, failures } = step.task
  const place = slot === null ? `node ${nodeId ?? '?'}` : `slot ${slot}`
  return [{ type: 'task-restarted', place, failures, reason: step.reason }]
}

function newTask(serviceId: string, draft: TaskDraft, reason: string, nowMs: number, random: Random): TaskRecord {
  const { failures, ...rest } = draft
  return {
    ...rest,
    id: newTaskId(random),
    serviceId,
    failures,
    reason,
    status: {
      state: 'pending',
      sinceMs: nowMs,
      message: 'waits for a node',
      error: '',
      containerId: null,
      exitCode: null,
      isOomKilled: false,
      isReady: false,
      addresses: {},
      hostPorts: [],
    },
    placement: '',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

const ID_BYTES = 16
const ID_LENGTH = 25

/** 25 lower-case letters and digits, the form that Docker clients expect of the ids of swarm mode. */
export function newTaskId(random: Random): string {
  return BigInt(`0x${random.bytes(ID_BYTES).toString('hex')}`)
    .toString(36)
    .padStart(ID_LENGTH, '0')
    .slice(-ID_LENGTH)
}
