import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { TaskRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'

import { serviceJson } from './service-json.ts'
import { serviceWish } from './service-wish.ts'
import { taskJson } from './task-json.ts'

const said = { Name: 'web', Labels: {}, TaskTemplate: { ContainerSpec: { Image: 'busybox', Env: ['B=1', 'A=2'] } } }
const wish = serviceWish(said, { networkName: (ref) => ref, secretName: (_kind, id) => id, freePort: () => 1 })

function sight(change: Partial<ServiceSight['record']> = {}, hasSaid = true): ServiceSight {
  const { said: _said, ...parts } = wish.parts
  const revision = {
    ...wish,
    parts: hasSaid ? wish.parts : parts,
    serviceId: 's',
    number: 3,
    templateHash: 'h',
    createdAtMs: 0,
  }
  const record = {
    id: 's',
    name: 'web',
    stack: null,
    labels: {},
    revision: 3,
    previousRevision: null,
    replicas: 4,
    state: 'active' as const,
    rollout: null,
    createdAtMs: 0,
    updatedAtMs: 0,
    ...change,
  }
  const counts = { desiredTasks: 4, runningTasks: 2, readyTasks: 2, completedTasks: 0 }
  return { record, version: 9, revision, previous: null, ...counts, waits: [] }
}

const NOTHING = { networks: [], containers: [] }

const rollout = {
  from: 1,
  to: 3,
  state: 'completed' as const,
  startedAtMs: 10,
  endedAtMs: 20,
  reason: '',
  step: 0,
  stepStartedAtMs: 10,
  weightPercent: null,
  failedTasks: [],
  isPromoted: false,
  judgements: [],
}

test('a service is shown as its client said it, with as many replicas as it has now', () => {
  const json = serviceJson(sight(), [], true)
  assert.deepEqual(json.Spec, { ...said, Mode: { Replicated: { Replicas: 4 } } })
  assert.deepEqual(json.ServiceStatus, { RunningTasks: 2, DesiredTasks: 4, CompletedTasks: 0 })
  assert.deepEqual(json.Version, { Index: 9 })
})

test('one that came another way is shown in the same words', () => {
  const spec = serviceJson(sight({}, false), [], false).Spec as unknown as typeof said
  assert.equal(spec.TaskTemplate.ContainerSpec.Image, 'busybox')
  assert.deepEqual(spec.TaskTemplate.ContainerSpec.Env, ['B=1', 'A=2'])
})

test('an update that was over before the service was scaled says nothing of the scaling', () => {
  assert.equal(serviceJson(sight({ rollout, forgivenAtMs: 10 }), [], false).UpdateStatus?.State, 'completed')
  assert.equal(serviceJson(sight({ rollout, forgivenAtMs: 30 }), [], false).UpdateStatus, undefined)
})

test('tasks of jobs are wanted until they are complete', () => {
  const status = {
    state: 'running' as const,
    sinceMs: 0,
    message: '',
    error: '',
    containerId: 'c',
    exitCode: null,
    isOomKilled: false,
    isReady: true,
    addresses: {},
    hostPorts: [],
  }
  const task: TaskRecord = {
    id: 't',
    serviceId: 's',
    revision: 3,
    slot: 1,
    nodeId: 'n',
    desiredState: 'running',
    status,
    startAfterMs: 0,
    runId: 'r',
    placement: '',
    createdAtMs: 0,
    updatedAtMs: 0,
  }
  assert.equal(taskJson({ record: task, version: 1 }, undefined, NOTHING).DesiredState, 'complete')
  assert.equal(taskJson({ record: { ...task, runId: null }, version: 1 }, undefined, NOTHING).DesiredState, 'running')
})
