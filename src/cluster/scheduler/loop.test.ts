import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog, virtualClock } from '#base'
import { keyOf, type NodeRecord, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import { openMirror } from '#cluster/services'
import { PLAIN_SERVICE, type ServiceSpec } from '#cluster/spec'
import type { ClusterStore } from '#cluster/store'

import { memoryStore } from '../store/memory.ts'
import { DEFAULT_SETTINGS, startScheduling } from './index.ts'

test('waiting tasks get nodes, and their records say which and why', async () => {
  await using world = await open()
  await world.put(nodeRecord('n1'), nodeRecord('n2'))
  await world.service('web', {})
  await world.put(...['a', 'b', 'c', 'd'].map((id) => taskRecord(id, 'web')))
  await world.settle()
  const tasks = await world.tasks()
  assert.deepEqual(
    tasks.map(({ status }) => status.state),
    ['assigned', 'assigned', 'assigned', 'assigned'],
  )
  assert.deepEqual(tasks.map(({ nodeId }) => String(nodeId)).toSorted(), ['n1', 'n1', 'n2', 'n2'])
  assert.match(tasks[0]!.placement, /fewest tasks of web on the node/)
})

test('a task that no node takes says why, and goes when room comes', async () => {
  await using world = await open()
  await world.put(nodeRecord('n1'))
  await world.service('big', { reservedNanoCpus: 8e9 })
  await world.put(taskRecord('a', 'big'))
  await world.settle()
  const [refused] = await world.tasks()
  assert.equal(refused!.status.state, 'pending')
  assert.equal(
    refused!.placement,
    'no node takes it: 8 CPUs needed: of 1 node n1 has the most free, 4 CPUs; all of them would be too small even when empty',
  )
  assert.deepEqual(
    refused!.refusals?.map(({ filter, nodes }) => [filter, nodes]),
    [['cpu', 1]],
  )
  assert.equal(world.scheduling.explain('a')?.[0]?.filter, 'cpu')
  await world.put({ ...nodeRecord('n2'), description: { ...nodeRecord('n2').description, nanoCpus: 16e9 } })
  await world.settle()
  const [placed] = await world.tasks()
  assert.equal(placed!.nodeId, 'n2')
  assert.equal(placed!.refusals, undefined)
})

test('a task of higher priority has others told to end, and is assigned only when they have', async () => {
  await using world = await open()
  await world.put(nodeRecord('n1'))
  await world.service('low', { reservedNanoCpus: 2e9 })
  await world.service('high', { reservedNanoCpus: 3e9, priority: 10 })
  await world.put(taskRecord('a', 'low'), taskRecord('b', 'low'))
  await world.settle()
  await world.put(taskRecord('h', 'high'), taskRecord('z', 'low'))
  await world.settle()
  const told = await world.tasks()
  assert.deepEqual(
    told.map(({ id, desiredState }) => [id, desiredState]),
    [
      ['a', 'shutdown'],
      ['b', 'shutdown'],
      ['h', 'running'],
      ['z', 'running'],
    ],
  )
  assert.match(told[2]!.placement, /^waits on n1: priority 10 takes the place of 2 tasks of low/)
  assert.equal(told[2]!.status.state, 'pending')
  await world.put(ended(told[0]!))
  await world.settle()
  // A new loop knows of nothing but the records, and ends nobody else.
  await world.restart()
  await world.settle()
  assert.equal((await world.tasks())[2]!.status.state, 'pending', 'there is no room before the second one ended')
  assert.equal((await world.tasks())[3]!.status.state, 'pending', 'what is freed for it is nobody else’s')
  await world.put(ended(told[1]!))
  await world.settle()
  const [, , high, other] = await world.tasks()
  assert.deepEqual([high!.status.state, high!.nodeId], ['assigned', 'n1'])
  assert.equal(other!.status.state, 'pending')
})

test('a task of a global service goes to its own node or nowhere', async () => {
  await using world = await open()
  await world.put(nodeRecord('n1'), { ...nodeRecord('n2'), availability: 'pause' })
  await world.service('agent', {})
  await world.put(
    { ...taskRecord('a', 'agent'), slot: null, nodeId: 'n1' },
    { ...taskRecord('b', 'agent'), slot: null, nodeId: 'n2' },
  )
  await world.settle()
  const [first, second] = await world.tasks()
  assert.equal(first!.status.state, 'assigned')
  assert.equal(second!.status.state, 'pending')
  assert.match(second!.placement, /1 node is paused/)
})

test('tasks follow the volume that an ended task left behind', async () => {
  await using world = await open()
  await world.put(nodeRecord('n1'), nodeRecord('n2'), nodeRecord('n3'))
  await world.service('db', { volume: 'data' })
  await world.put(taskRecord('a', 'db'))
  await world.settle()
  const [first] = await world.tasks()
  await world.put(ended(first!))
  await world.settle()
  await world.restart()
  // Every other node is emptier.
  await world.service('web', {})
  const filler = { ...taskRecord('c', 'web'), nodeId: first!.nodeId }
  await world.put({ ...filler, status: { ...filler.status, state: 'running' } }, taskRecord('b', 'db'))
  await world.settle()
  assert.equal((await world.tasks())[1]!.nodeId, first!.nodeId)
})

test('a write that came first is not overwritten: the task is decided on anew', async () => {
  await using world = await open({ conflicts: 1 })
  await world.put(nodeRecord('n1'))
  await world.service('web', {})
  await world.put(taskRecord('a', 'web'), taskRecord('b', 'web'))
  await world.settle()
  assert.deepEqual(
    (await world.tasks()).map(({ status, placement }) => [status.state, placement !== '']),
    [
      ['assigned', true],
      ['assigned', true],
    ],
  )
})

test('with a time set tasks are moved one after the other, and without it only when somebody asks', async () => {
  for (const rebalanceEveryMs of [null, 60_000]) {
    await using world = await open({ rebalanceEveryMs })
    await world.put(nodeRecord('n1'), nodeRecord('n2'))
    await world.service('web', {})
    const running = (id: string): TaskRecord => {
      const task = taskRecord(id, 'web')
      return { ...task, nodeId: 'n1', status: { ...task.status, state: 'running' } }
    }
    await world.put(running('a'), running('b'), running('c'), running('d'))
    await world.settle()
    assert.deepEqual(
      world.scheduling.moves().map(({ taskId, from, to }) => [taskId, from, to]),
      [
        ['d', 'n1', 'n2'],
        ['c', 'n1', 'n2'],
      ],
    )
    await world.advance(70_000)
    const told = (await world.tasks()).filter(({ desiredState }) => desiredState === 'shutdown')
    assert.deepEqual(
      told.map(({ id, reason }) => [id, reason]),
      rebalanceEveryMs === null ? [] : [['d', 'it moves to n2: 4 of web in n1 and 0 in n2']],
    )
    assert.deepEqual(
      (await world.scheduling.rebalance()).map(({ taskId }) => taskId),
      rebalanceEveryMs === null ? ['d'] : [],
    )
  }
})

interface Wish {
  readonly reservedNanoCpus?: number
  readonly priority?: number
  readonly volume?: string
}

async function open({ conflicts = 0, rebalanceEveryMs = null as number | null } = {}) {
  const clock = virtualClock()
  const store = memoryStore(clock)
  let left = conflicts
  const picked: ClusterStore = {
    ...store,
    write: async (transaction) => {
      if (left > 0 && (transaction.conditions ?? []).length > 0) {
        left -= 1
        return null
      }
      return await store.write(transaction)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const ports = { store: picked, clock, log: silentLog() }
  const begin = () => {
    const picture = openMirror({ ...ports, prefixes: ['node/', 'service/', 'revision/', 'task/'] })
    return { picture, scheduling: startScheduling({ ...ports, picture, settings: DEFAULT_SETTINGS, rebalanceEveryMs }) }
  }
  let { picture, scheduling } = begin()
  const stop = async () => {
    await scheduling[Symbol.asyncDispose]()
    await picture[Symbol.asyncDispose]()
  }
  return {
    get scheduling() {
      return scheduling
    },
    restart: async () => {
      await stop()
      ;({ picture, scheduling } = begin())
    },
    put: async (...records: readonly (NodeRecord | TaskRecord)[]) => {
      await store.write({
        puts: records.map((value) => ({ key: keyOf('serviceId' in value ? 'task' : 'node', value.id), value })),
      })
    },
    service: async (name: string, wish: Wish) => {
      const { service, revision } = serviceRecords(name, wish)
      await store.write({
        puts: [
          { key: keyOf('service', name), value: service },
          { key: keyOf('revision', name, 1), value: revision },
        ],
      })
    },
    settle: async () => {
      for (let round = 0; round < 10; round += 1) await clock.advance(50)
    },
    advance: (ms: number) => clock.advance(ms),
    tasks: async () => (await store.range<TaskRecord>('task/')).entries.map(({ value }) => value),
    [Symbol.asyncDispose]: async () => {
      await stop()
      await store[Symbol.asyncDispose]()
    },
  }
}

function serviceRecords(name: string, { reservedNanoCpus, priority = 0, volume }: Wish) {
  const mounts =
    volume === undefined
      ? []
      : [{ type: 'volume' as const, volume, target: '/data', isReadOnly: false, isNoCopy: false, subpath: '' }]
  const task = { resources: { reservedNanoCpus: reservedNanoCpus ?? null, memoryReservationBytes: null }, mounts }
  const spec = { ...PLAIN_SERVICE, name, ports: [], task, placement: { ...PLAIN_SERVICE.placement, priority } }
  return {
    service: { id: name, name, stack: null, revision: 1 } as ServiceRecord,
    revision: {
      serviceId: name,
      number: 1,
      spec: spec as unknown as ServiceSpec,
      parts: { networks: [], volumes: [], secrets: [], configs: [], versions: {}, workingDir: '', configFiles: [] },
    } as unknown as RevisionRecord,
  }
}

function nodeRecord(id: string): NodeRecord {
  return {
    id,
    labels: {},
    role: 'worker',
    availability: 'active',
    createdAtMs: 0,
    updatedAtMs: 0,
    description: {
      hostname: id,
      platform: { os: 'linux', architecture: 'amd64' },
      nanoCpus: 4e9,
      memoryBytes: 4e9,
      engineLabels: {},
      engineVersion: '1',
    },
    status: { state: 'ready', sinceMs: 0, message: '', address: '10.0.0.1' },
  }
}

function taskRecord(id: string, serviceId: string): TaskRecord {
  return {
    id,
    serviceId,
    revision: 1,
    slot: 1,
    nodeId: null,
    desiredState: 'running',
    status: {
      state: 'pending',
      sinceMs: 0,
      message: '',
      error: '',
      containerId: null,
      exitCode: null,
      isOomKilled: false,
      isReady: false,
      addresses: {},
      hostPorts: [],
    },
    startAfterMs: 0,
    runId: null,
    placement: '',
    createdAtMs: 0,
    updatedAtMs: 0,
  }
}

function ended(task: TaskRecord): TaskRecord {
  return { ...task, status: { ...task.status, state: 'shutdown' } }
}
