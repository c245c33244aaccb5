import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { NodeRecord, RevisionRecord, TaskRecord, TaskState } from '#cluster/model'

import { wishFor, type ServiceChoice } from '../../../test/sim/specs.ts'
import { newRollout } from './rollout-progress.ts'
import { planService } from './plan-service.ts'
import type { ClusterState, ServiceState } from './service-state.ts'
import { createdService } from './wanted-service.ts'

const NOW = 1_000_000

const NODE: NodeRecord = {
  id: 'n1',
  labels: {},
  role: 'manager',
  availability: 'active',
  createdAtMs: 0,
  updatedAtMs: 0,
  description: {
    hostname: 'n1',
    platform: { os: 'linux', architecture: 'amd64' },
    nanoCpus: 1e9,
    memoryBytes: 1e9,
    engineLabels: {},
    engineVersion: '1',
  },
  status: { state: 'ready', sinceMs: 0, message: '', address: '' },
}

function task(id: string, slot: number, state: TaskState, more: Partial<TaskRecord> = {}): TaskRecord {
  const isReady = state === 'running'
  const status = { state, sinceMs: 0, message: '', error: '', containerId: 'c', exitCode: null, isOomKilled: false, isReady }
  const fixed = { serviceId: 's', revision: 1, nodeId: 'n1', startAfterMs: 0, runId: null, placement: '', updatedAtMs: 0 }
  return {
    id,
    slot,
    desiredState: 'running',
    ...fixed,
    createdAtMs: 0,
    status: { ...status, addresses: {}, hostPorts: [] },
    ...more,
  }
}

function stateOf(choice: ServiceChoice, tasks: readonly TaskRecord[], more: Partial<ServiceState['service']> = {}): ServiceState {
  const { service, revision } = createdService('s', wishFor(choice), 0)
  const revisions = new Map(revision === null ? [] : [[1, revision]])
  return { service: { ...service, ...more }, revisions, tasks, runs: [] }
}

/** Another revision whose image is not here. */
function updating(state: ServiceState, change: Partial<RevisionRecord> = {}): ServiceState {
  const first = state.revisions.get(1) ?? assert.fail('the first revision')
  const second = { ...first, number: 2, imageId: null, templateHash: 'other', ...change }
  const rollout = newRollout(1, 2, 0, 'by user')
  return {
    ...state,
    revisions: new Map([...state.revisions, [2, second]]),
    service: { ...state.service, revision: 2, previousRevision: 1, rollout },
  }
}

function plan(state: ServiceState, more: Partial<ClusterState> = {}) {
  const services = new Map([[state.service.id, state]])
  return planService(state, { nowMs: NOW, nodes: new Map([['n1', NODE]]), services, metrics: new Map(), ...more })
}

const pulled = (state: ServiceState, imageId: string | null = null): ServiceState => ({
  ...state,
  revisions: new Map(
    [...state.revisions].map(([number, one]) => [number, { ...one, imageId, parts: { ...one.parts, pulls: true } }]),
  ),
})

test('without its image a service waits, unless nodes fetch it: those say in the task what comes of it', () => {
  const state = stateOf({ name: 'web', replicas: 2 }, [])
  const absent = { ...state, revisions: new Map([...state.revisions].map(([n, one]) => [n, { ...one, imageId: null }])) }
  assert.deepEqual(plan(absent).steps, [])
  assert.match(plan(absent).waits[0]?.reason ?? '', /is not on this node/)
  assert.deepEqual(
    plan(pulled(state)).steps.map(({ type }) => type),
    ['create-task', 'create-task'],
  )
})

test('an image that cannot be had stops a rollout as its settings say, and what serves goes on', () => {
  for (const [failureAction, rollout] of [
    ['pause', 'paused'],
    ['rollback', 'rolling-back'],
    ['continue', undefined],
  ] as const) {
    const old = stateOf({ name: 'web', update: { failureAction, order: 'stop-first' } }, [task('a', 1, 'running')])
    const state = updating(old, { parts: { ...wishFor({ name: 'web' }).parts, pulls: true } })
    assert.deepEqual(plan(state).steps, [], 'while it is tried')
    const { steps } = plan(state, { imageFailures: new Map([['good:1', 'no such repository']]) })
    const changed = steps.flatMap((step) => (step.type === 'change-service' ? [step.service.rollout] : []))
    assert.deepEqual(
      changed.map((one) => [one?.state, one?.reason]),
      rollout === undefined ? [] : [[rollout, 'no such repository']],
    )
    assert.ok(steps.every(({ type }) => type !== 'end-task'))
  }
})

test('the last task of a rollout that stops first comes when the one before it is gone', () => {
  const old = stateOf({ name: 'web', replicas: 1, update: { order: 'stop-first', monitorMs: 0 } }, [])
  const leaving = task('a', 1, 'running', { desiredState: 'shutdown' })
  const state = (tasks: readonly TaskRecord[]) => ({ ...updating(old, { imageId: 'sha256:2' }), tasks })
  assert.deepEqual(plan(state([leaving])).steps, [])
  const gone = { ...leaving, status: { ...leaving.status, state: 'shutdown' as const } }
  const [step] = plan(state([gone])).steps
  assert.ok(step?.type === 'create-task' && step.task.slot === 1)
})

test('property: of each slot as many tasks are kept as is said, and never one that lives is forgotten', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 12 }), (limit, count) => {
      const ends = Array.from({ length: count }, (_, at) =>
        task(`e${at}`, 1, 'shutdown', { desiredState: 'shutdown', createdAtMs: at }),
      )
      const state = stateOf({ name: 'web' }, [task('live', 1, 'running', { createdAtMs: 99 }), ...ends])
      const removed = plan(state, { keptTasksPerSlot: limit }).steps.flatMap((step) =>
        step.type === 'end-task' && step.desiredState === 'remove' ? [step.task.id] : [],
      )
      const kept = Math.min(count, Math.max(0, limit - 1))
      assert.equal(removed.length, count - kept)
      assert.ok(!removed.includes('live'))
      assert.deepEqual(
        removed.toSorted(),
        ends
          .slice(0, count - kept)
          .map(({ id }) => id)
          .toSorted(),
      )
    }),
  )
})
