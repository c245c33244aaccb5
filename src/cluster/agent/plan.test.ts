import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { isEnded, TASK_STATES, type TaskRecord, type TaskState } from '#cluster/model'

import { serviceSpec, wishFor } from '../../../test/sim/specs.ts'
import type { AgentSnapshot, AssignedTask } from './assigned-task.ts'
import type { NodeTask } from './node-port.ts'
import { planAgent } from './plan.ts'
import { TASK_LABELS } from './task-spec.ts'

const NOW = 1_000_000

function assigned(state: TaskState, more: Partial<TaskRecord> = {}, isReady = false): AssignedTask {
  const wish = wishFor({ name: 'web', hasIngress: true })
  const status = {
    state,
    sinceMs: 0,
    message: '',
    error: '',
    containerId: null,
    exitCode: null,
    isOomKilled: false,
    isReady,
    startedAtMs: 1,
    addresses: {},
    hostPorts: [],
  }
  const fixed = { id: 't1', serviceId: 's1', revision: 1, slot: 1, nodeId: 'n1', startAfterMs: 0, runId: null, placement: '' }
  const task: TaskRecord = { ...fixed, desiredState: 'running', status, createdAtMs: 0, updatedAtMs: 0, ...more }
  const revision = { serviceId: 's1', number: 1, spec: serviceSpec({ name: 'web', hasIngress: true }), parts: wish.parts }
  const service = { id: 's1', name: 'shop_web', stack: 'shop', labels: {}, revision: 1, previousRevision: null, replicas: 1 }
  return {
    task,
    revision: { ...revision, imageId: 'sha256:1', templateHash: 'h', createdAtMs: 0, by: 'user' },
    service: { ...service, state: 'active', rollout: null, createdAtMs: 0, updatedAtMs: 0 },
    routedPorts: [80],
  }
}

function container(state: NodeTask['state'], more: Partial<NodeTask> = {}): NodeTask {
  return {
    id: 'c1',
    name: 'shop-web-1',
    labels: { [TASK_LABELS.task]: 't1', [TASK_LABELS.stack]: 'shop', [TASK_LABELS.service]: 'web' },
    state,
    exitCode: 0,
    error: '',
    isOomKilled: false,
    startedAtMs: state === 'created' ? null : 5,
    finishedAtMs: null,
    health: 'none',
    healthOutput: '',
    addresses: { default: '10.0.0.2' },
    ...more,
  }
}

function plan(tasks: readonly AssignedTask[], containers: readonly NodeTask[], more: Partial<AgentSnapshot> = {}) {
  const memory = { draining: new Map(), failures: new Map(), checks: new Map(), ...more.memory }
  const known = (id: string) => tasks.some(({ task }) => task.id === id)
  return planAgent({
    nowMs: NOW,
    tasks,
    containers,
    connections: new Map(),
    isRoutedAsTold: () => true,
    busy: new Set(),
    isKnownTask: known,
    ...more,
    memory,
  })
}

describe('the plan of the agent', () => {
  it('tells of each task one state further at a time, never back, and does one thing for it at most', () => {
    const states = fc.constantFrom(...TASK_STATES)
    const wanted = fc.constantFrom<TaskRecord['desiredState'][]>('ready', 'running', 'shutdown', 'remove')
    const there = fc.option(fc.constantFrom<NodeTask['state'][]>('created', 'running', 'paused', 'exited', 'dead'))
    fc.assert(
      fc.property(states, wanted, there, fc.boolean(), fc.boolean(), (state, desiredState, seen, isReady, isUnhealthy) => {
        const containers = seen === null ? [] : [container(seen, isUnhealthy ? { health: 'unhealthy' } : {})]
        const { steps } = plan([assigned(state, { desiredState }, isReady && state === 'running')], containers)
        assert.ok(steps.length <= 1)
        const [step] = steps
        if (step?.type === 'stop') assert.ok(!isReady || state !== 'running')
        if (step?.type === 'start') assert.equal(state, 'starting')
        if (step?.type !== 'report') return
        const [from, to] = [TASK_STATES.indexOf(state), TASK_STATES.indexOf(step.status.state)]
        assert.ok(to >= from, `${state} to ${step.status.state}`)
        assert.ok(to <= from + 1 || isEnded(step.status.state), `${state} to ${step.status.state}`)
        assert.ok(!step.status.isReady || step.status.state === 'running')
      }),
    )
  })

  it('takes a task out of the routes, waits for its connections, and stops it then', () => {
    const leaving = { desiredState: 'shutdown' } as const
    const first = plan([assigned('running', leaving, true)], [container('running')]).steps[0]
    assert.ok(first?.type === 'report' && !first.status.isReady)
    const out = assigned('running', leaving)
    assert.equal(plan([out], [container('running')]).steps[0]?.type, 'begin-drain')
    const memory = { draining: new Map([['t1', NOW - 1000]]), failures: new Map(), checks: new Map() }
    assert.deepEqual(plan([out], [container('running')], { memory, connections: new Map([['t1', 1]]) }).steps, [])
    assert.equal(plan([out], [container('running')], { memory }).steps[0]?.type, 'stop')
  })

  it('takes no task for ready before its checks have said so, not even for a moment', () => {
    const check = {
      probe: { type: 'tcp', port: 80 },
      intervalMs: 1,
      timeoutMs: 1,
      failures: 1,
      successes: 1,
      initialDelayMs: 0,
    } as const
    const begun = assigned('starting')
    const none = { startup: null, readiness: null, liveness: null }
    for (const checks of [
      { ...none, startup: check },
      { ...none, readiness: check },
    ]) {
      const checked = { ...begun, revision: { ...begun.revision, spec: { ...begun.revision.spec, checks } } }
      const [step] = plan([checked], [container('running')]).steps
      assert.ok(step?.type === 'report' && step.status.state === 'running' && !step.status.isReady)
      assert.match(step.status.message, /^has not passed its (?:start-up|readiness) check yet$/)
    }
    const [unchecked] = plan([{ ...begun, routedPorts: [] }], [container('running')]).steps
    assert.ok(unchecked?.type === 'report' && unchecked.status.isReady)
    // Where it is routed it has to listen first.
    const [routed] = plan([begun], [container('running')]).steps
    assert.ok(routed?.type === 'report' && !routed.status.isReady)
  })

  it('finds a container that was made before anything said so', () => {
    const [step] = plan([assigned('preparing')], [container('created')]).steps
    assert.ok(step?.type === 'report' && step.status.state === 'ready' && step.status.containerId === 'c1')
  })

  it('removes a container whose task nobody knows, and none that is not ours', () => {
    const foreign = container('running', { id: 'c2', labels: { 'com.docker.compose.project': 'shop' } })
    assert.deepEqual(plan([], [container('exited'), foreign]).steps, [{ type: 'remove', assigned: null, containerId: 'c1' }])
  })

  it('starts nothing beside a task that was given to others while its node was away', () => {
    const lost = assigned('orphaned')
    const next = { ...assigned('preparing'), task: { ...assigned('preparing').task, id: 't2' } }
    assert.deepEqual(
      plan([lost, next], [container('running')]).steps.map((step) => step.type),
      ['stop'],
    )
  })

  it('makes nothing before its time, for making it may be what failed', () => {
    const { steps, wakeAtMs } = plan([assigned('preparing', { startAfterMs: NOW + 5000, failures: 3 })], [])
    assert.deepEqual([steps, wakeAtMs], [[], NOW + 5000])
    assert.equal(plan([assigned('preparing', { startAfterMs: NOW, failures: 3 })], []).steps[0]?.type, 'create')
  })

  it('gives a task back when its container cannot be made', () => {
    const failure = { type: 'create', failures: 5, atMs: 0, nextAtMs: NOW, reason: 'mount /data: source does not exist' }
    const memory = { draining: new Map(), failures: new Map([['t1', failure]]), checks: new Map() }
    const [step] = plan([assigned('preparing')], [], { memory }).steps
    assert.ok(step?.type === 'report' && step.status.state === 'rejected')
    assert.equal(step.status.error, 'mount /data: source does not exist')
  })
})
