import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { TaskRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'

import { apiDescription } from '../testing/description.ts'
import { withDefaults, withNetworkIds } from './default-fields.ts'
import { serviceChange } from './service-events.ts'
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
  const ended = { ...task, runId: null, status: { ...status, state: 'complete' as const } }
  assert.equal(taskJson({ record: ended, version: 1 }, undefined, NOTHING).DesiredState, 'shutdown')
})

test('what a client left out is filled in when it asks for that, and nothing else', () => {
  const spec = {
    Name: 'web',
    TaskTemplate: { ContainerSpec: { Image: 'i', StopGracePeriod: 1 } },
    UpdateConfig: { Parallelism: 2 },
  }
  const whole = withDefaults(spec) as any
  assert.deepEqual(whole.UpdateConfig, { Parallelism: 2, Monitor: 5_000_000_000 })
  assert.equal(whole.RollbackConfig.Order, 'stop-first')
  assert.deepEqual(whole.TaskTemplate.ContainerSpec, { Image: 'i', StopGracePeriod: 1, DNSConfig: {} })
  assert.equal(whole.TaskTemplate.RestartPolicy.Condition, 'any')
  assert.deepEqual(withDefaults(whole), whole)
})

test('networks are told by their ids, at both places where clients name them', () => {
  const spec = { Networks: [{ Target: 'a' }], TaskTemplate: { Networks: [{ Target: 'b', Aliases: ['x'] }] } }
  assert.deepEqual(
    withNetworkIds(spec, (ref) => `id-${ref}`),
    { Networks: [{ Target: 'id-a' }], TaskTemplate: { Networks: [{ Target: 'id-b', Aliases: ['x'] }] } },
  )
  assert.deepEqual(
    withNetworkIds({ Name: 'n', Networks: 'odd' }, () => assert.fail()),
    { Name: 'n', Networks: 'odd' },
  )
})

test('an event tells what changed and what was before', () => {
  const at = (change: Partial<ServiceSight['record']>) => ({ record: sight(change).record, revision: sight(change).revision })
  const [before, after] = [at({}), at({ replicas: 7, rollout: { ...rollout, state: 'running', endedAtMs: null } })]
  const scaled = { 'replicas.new': '7', 'replicas.old': '4', 'updatestate.new': 'updating' }
  assert.deepEqual(serviceChange(before, after), { name: 'web', ...scaled })
  assert.deepEqual(serviceChange(at({}), at({ labels: { a: 'b' } })), { name: 'web' })
  assert.equal(serviceChange(before, { ...before, record: { ...before.record, updatedAtMs: 5 } }), undefined)
})

test('the addresses of a service are under its endpoint, and none is made up', () => {
  const ips = [
    { serviceId: 's', networkId: 'n', address: '10.0.0.128/24' },
    { serviceId: 'other', networkId: 'n', address: '10.0.0.129/24' },
  ]
  assert.deepEqual(serviceJson(sight(), ips, false).Endpoint.VirtualIPs, [{ NetworkID: 'n', Addr: '10.0.0.128/24' }])
  assert.equal(serviceJson(sight(), [], false).Endpoint.VirtualIPs, undefined)
  const description = apiDescription(51)
  assert.deepEqual(description.check('Service', serviceJson(sight(), ips, true)), [])
})
