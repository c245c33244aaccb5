import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  createScheduler,
  eligibleNodes,
  planPlacements,
  planRebalance,
  schedulerOf,
  type PendingTask,
  type PlacedTask,
  type SchedulableNode,
  type TaskGroup,
} from './index.ts'

const GIB = 1024 ** 3

test('every filter says how many nodes it refused, why, and what would help', () => {
  const nodes = [
    node('a', { isReady: false }),
    node('b', { availability: 'drain' }),
    node('c', { labels: { zone: 'b' } }),
    node('d', { labels: {} }),
    node('e', { labels: { zone: 'a' }, platform: { os: 'linux', architecture: 'arm64' } }),
    node('f', { labels: { zone: 'a' }, nanoCpus: 1e9 }),
    node('g', { labels: { zone: 'a' }, memoryBytes: 1e9 }),
    node('h', { labels: { zone: 'a' } }),
    node('i', { labels: { zone: 'a' } }),
    node('j', { labels: { zone: 'a' } }),
    node('k', { labels: { zone: 'a' }, volumes: ['data'] }),
    node('l', { labels: { zone: 'a' }, volumes: ['data'] }),
  ]
  const other = group({ serviceId: 'other', serviceName: 'other', hostPorts: [{ protocol: 'tcp', published: 80, hostIp: '' }] })
  const web = group({
    constraints: [{ key: 'node.labels.zone', operator: '==', value: 'a' }],
    platforms: [{ os: 'linux', architecture: 'amd64' }],
    nanoCpus: 2e9,
    memoryBytes: 2e9,
    hostPorts: [{ protocol: 'tcp', published: 80, hostIp: '127.0.0.1' }],
    volumes: ['data'],
    maxPerNode: 1,
    affinities: [{ type: 'anti-affinity', service: 'loud', topology: 'node.id', isRequired: true }],
  })
  const placed = [
    task('o1', 'h', other),
    task('w1', 'k', { ...web, revision: 0, hostPorts: [], nanoCpus: 0 }),
    task('l1', 'l', group({ serviceId: 'loud', serviceName: 'loud' })),
  ]
  const [placement] = planPlacements({ nodes, placed }, [pending('w2', web)])
  assert.ok(placement?.type === 'unplaced')
  const said = new Map(placement.refusals.map(({ filter, nodes: count, reason }) => [filter, `${count}: ${reason}`]))
  assert.deepEqual(Object.fromEntries(said), {
    ready: '1: host-a is not ready',
    availability: '1: 1 node is drained',
    constraint: '2: node.labels.zone == a: 1 node has b, 1 has none',
    platform: '1: linux/amd64 is wanted: 1 node is linux/arm64',
    cpu: '1: 2 CPUs needed: of 1 node host-f has the most free, 1 CPU; all of them would be too small even when empty',
    memory: '1: 2GB of memory needed: of 1 node host-g has the most free, 1GB; all of them would be too small even when empty',
    'host-port': '1: port 127.0.0.1:80/tcp is taken on host-h by other',
    volume: '2: volume data is only on host-k, host-l, and not on host-i, host-j',
    'max-per-node': '1: 1 node has 1 of web already, and no more may be on one',
    affinity: '1: a task of loud is in node.id=l (1 node)',
  })
  assert.ok(placement.refusals.every(({ advice }) => advice !== ''))
})

test('a cluster without nodes says so', () => {
  const [placement] = planPlacements({ nodes: [], placed: [] }, [pending('a', group({}))])
  assert.deepEqual(placement?.type === 'unplaced' && placement.refusals.map(({ reason }) => reason), ['the cluster has no nodes'])
})

test('room is made by the lowest tasks, and by no more of them than it takes', () => {
  const of = (name: string, priority: number, nanoCpus: number) =>
    group({ serviceId: name, serviceName: name, priority, nanoCpus })
  const nodes = [node('a', { nanoCpus: 4e9 }), node('b', { nanoCpus: 4e9 })]
  const placed = [
    task('mid', 'a', of('mid', 5, 4e9)),
    task('low1', 'b', of('low', 1, 1e9)),
    task('low2', 'b', of('low', 1, 1e9)),
    task('low3', 'b', of('large', 1, 2e9)),
  ]
  const [placement] = planPlacements({ nodes, placed }, [pending('high', of('high', 10, 2e9))])
  assert.ok(placement?.type === 'placed')
  assert.deepEqual([placement.nodeId, placement.preempts], ['b', ['low3']])
  assert.equal(placement.reason, 'priority 10 takes the place of 1 task of large (priority 1)')
  const [equal] = planPlacements({ nodes, placed: [placed[0]!, task('x', 'b', of('x', 5, 4e9))] }, [
    pending('y', of('y', 5, 1e9)),
  ])
  assert.equal(equal?.type, 'unplaced')
})

test('a wish is followed where it can be, and is no condition', () => {
  const nodes = [node('a', { labels: { zone: 'a' } }), node('b', { labels: { zone: 'b' } }), node('c', { labels: { zone: 'b' } })]
  const db = group({ serviceId: 'db', serviceName: 'db' })
  const wish = (type: 'affinity' | 'anti-affinity', service: string) =>
    group({ affinities: [{ type, service, topology: 'node.labels.zone', isRequired: false }] })
  const placed = [task('d', 'a', db)]
  const where = (of: TaskGroup) =>
    planPlacements({ nodes, placed }, [pending('w', of)]).map((one) => one.type === 'placed' && one.nodeId)
  assert.deepEqual(where(wish('affinity', 'db')), ['a'])
  assert.notEqual(where(wish('anti-affinity', 'db'))[0], 'a')
  assert.equal(planPlacements({ nodes, placed }, [pending('w', wish('affinity', 'nobody'))])[0]?.type, 'placed')
})

test('required affinity to the own service puts all of it in one place', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((id, index) => node(id, { labels: { zone: `z${index % 2}` } }))
  const of = group({ affinities: [{ type: 'affinity', service: 'web', topology: 'node.labels.zone', isRequired: true }] })
  const placements = planPlacements(
    { nodes, placed: [] },
    Array.from({ length: 6 }, (_, index) => pending(`t${index}`, of)),
  )
  const zones = new Set(
    placements.map((one) => one.type === 'placed' && nodes.find(({ id }) => id === one.nodeId)?.labels['zone']),
  )
  assert.equal(zones.size, 1)
})

test('packing fills nodes before it opens another, and stays near what is possible at all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 })), { minLength: 1, maxLength: 60 }),
      fc.nat(),
      (sizes, seed) => {
        const nodes = sizes.map((_, index) => node(`n${index}`, { nanoCpus: 10, memoryBytes: 10 }))
        const tasks = sizes.map(([nanoCpus, memoryBytes], index) =>
          pending(`t${index}`, group({ serviceId: `s${index}`, serviceName: `s${index}`, nanoCpus, memoryBytes })),
        )
        const placements = planPlacements({ nodes, placed: [] }, tasks, { strategy: 'pack', seed })
        const used = new Set(placements.map((one) => (one.type === 'placed' ? one.nodeId : '')))
        assert.ok(!used.has(''), 'a task was not placed')
        const sum = (at: 0 | 1) => Math.ceil(sizes.reduce((total, size) => total + size[at], 0) / 10)
        // Best fit of what comes largest first: never more than twice the bound for each of the two amounts.
        assert.ok(used.size <= 2 * (sum(0) + sum(1)), `${used.size} nodes`)
      },
    ),
    { numRuns: 100 },
  )
})

test('tasks that reserve nothing are spread though nodes are to be packed', () => {
  const nodes = ['a', 'b'].map((id) => node(id, {}))
  const placements = planPlacements({ nodes, placed: [] }, [pending('1', group({})), pending('2', group({}))], {
    strategy: 'pack',
    seed: 1,
  })
  assert.equal(new Set(placements.map((one) => one.type === 'placed' && one.nodeId)).size, 2)
})

test('a global service belongs on every node that it may be on', () => {
  const nodes = [node('a', {}), node('b', { availability: 'pause' }), node('c', { role: 'manager' })]
  const of = group({ constraints: [{ key: 'node.role', operator: '!=', value: 'manager' }] })
  assert.deepEqual(
    eligibleNodes(of, nodes).map(({ id }) => id),
    ['a'],
  )
})

test('what is leaving makes room for whoever waits for it', () => {
  const nodes = [node('a', { nanoCpus: 1e9 })]
  const of = group({ nanoCpus: 1e9 })
  const scheduler = schedulerOf({ nodes, placed: [{ ...task('old', 'a', of), isLeaving: true }] })
  const [placement] = scheduler.place([pending('new', of)])
  assert.ok(placement?.type === 'placed')
  assert.deepEqual(placement.preempts, ['old'])
  assert.equal(placement.reason, 'takes the place of 1 task of web, which is on the way out')
})

test('a node that goes and comes back finds its tasks counted again', () => {
  const scheduler = createScheduler()
  const of = group({ nanoCpus: 1e9 })
  scheduler.putNode(node('a', { nanoCpus: 1e9 }))
  scheduler.putTask(task('t', 'a', of))
  scheduler.dropNode('a')
  scheduler.putNode(node('a', { nanoCpus: 1e9 }))
  assert.equal(scheduler.place([pending('u', of)])[0]?.type, 'unplaced')
  scheduler.dropTask('t')
  assert.equal(scheduler.place([pending('u', of)])[0]?.type, 'placed')
})

test('after a zone came back tasks are moved there until the zones differ by one, each for a reason', () => {
  const nodes = ['a', 'b', 'c'].map((id, index) => node(id, { labels: { zone: `z${index}` } }))
  const of = group({ spread: ['node.labels.zone'] })
  const placed = ['a', 'a', 'a', 'b', 'b', 'b'].map((at, index) => task(`t${index}`, at, of))
  const moves = planRebalance({ nodes, placed })
  assert.deepEqual(
    moves.map(({ to, reason }) => [to, reason]),
    [
      ['c', '3 of web in zone=z1 and 0 in zone=z2'],
      ['c', '3 of web in zone=z0 and 1 in zone=z2'],
    ],
  )
})

test('tasks on drained nodes, and where their constraints do not hold any more, are moved', () => {
  const nodes = [
    node('a', { availability: 'drain' }),
    node('b', { labels: { disk: 'hdd' } }),
    node('c', { labels: { disk: 'ssd' } }),
  ]
  const of = group({ constraints: [{ key: 'node.labels.disk', operator: '==', value: 'ssd' }] })
  const moves = planRebalance({ nodes, placed: [task('1', 'a', of), task('2', 'b', of), task('3', 'c', of)] })
  assert.deepEqual(
    moves.map(({ taskId, to, reason }) => [taskId, to, reason]),
    [
      ['1', 'c', 'host-a is drained'],
      ['2', 'c', 'host-b does not meet its constraints any more'],
    ],
  )
})

test('moves end, each has room, and after them there is nothing left to move', () => {
  const zone = fc.constantFrom('a', 'b', 'c')
  fc.assert(
    fc.property(
      fc.array(zone, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(7), fc.constantFrom('web', 'db')), { maxLength: 25 }),
      fc.constantFrom(0, 2e9),
      (zones, standing, nanoCpus) => {
        const nodes = zones.map((value, index) => node(`n${index}`, { labels: { zone: value }, nanoCpus: 20e9 }))
        const placed = standing.map(([at, name], index) =>
          task(
            `t${index}`,
            `n${at % nodes.length}`,
            group({ serviceId: name, serviceName: name, nanoCpus, spread: name === 'web' ? ['node.labels.zone'] : [] }),
          ),
        )
        const at = new Map(placed.map((one) => [one.id, one]))
        const moves = planRebalance({ nodes, placed })
        assert.ok(moves.length <= placed.length * 3, 'it does not end')
        const load = (id: string) => [...at.values()].filter(({ nodeId }) => nodeId === id).length * nanoCpus
        for (const move of moves) {
          assert.equal(at.get(move.taskId)?.nodeId, move.from)
          at.set(move.taskId, { ...at.get(move.taskId)!, nodeId: move.to })
          assert.ok(load(move.to) <= 20e9)
        }
        assert.deepEqual(planRebalance({ nodes, placed: [...at.values()] }), [])
      },
    ),
    { numRuns: 100 },
  )
})

test('the order that new services share hears of tasks that went', () => {
  const scheduler = createScheduler()
  for (const id of ['a', 'b']) scheduler.putNode(node(id, {}))
  const fresh = (name: string) => pending(name, group({ serviceId: name, serviceName: name }))
  const at = new Map<string, string>()
  for (const name of ['s1', 's2', 's3', 's4']) {
    const [placement] = scheduler.place([fresh(name)])
    if (placement?.type === 'placed') at.set(name, placement.nodeId)
  }
  assert.deepEqual([...at.values()].toSorted(), ['a', 'a', 'b', 'b'])
  const onB = [...at].filter(([, id]) => id === 'b').map(([name]) => name)
  for (const name of onB) scheduler.dropTask(name)
  const next = ['s5', 's6'].flatMap((name) => scheduler.place([fresh(name)]))
  assert.deepEqual(
    next.map((placement) => placement.type === 'placed' && placement.nodeId),
    ['b', 'b'],
  )
})

const PORTS: readonly (readonly [one: string, other: string, areBoth: boolean])[] = [
  ['', '', false],
  ['', '127.0.0.1', false],
  ['127.0.0.1', '0.0.0.0', false],
  ['127.0.0.1', '127.0.0.2', true],
  ['127.0.0.1', '127.0.0.1', false],
  ['', '::1', true],
  ['::1', '0:0:0:0:0:0:0:1', false],
  ['::', '127.0.0.1', false],
  ['::1', '::2', true],
]

for (const [one, other, areBoth] of PORTS)
  test(`one port on "${one}" and "${other}" of a node can ${areBoth ? '' : 'not '}be had by two tasks`, () => {
    const of = (name: string, hostIp: string, protocol: 'tcp' | 'udp') =>
      group({ serviceId: name, serviceName: name, hostPorts: [{ protocol, published: 53, hostIp }] })
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      const placed = [task('first', 'a', of('first', first, 'udp'))]
      const [same] = planPlacements({ nodes: [node('a', {})], placed }, [pending('x', of('second', second, 'udp'))])
      assert.equal(same?.type, areBoth ? 'placed' : 'unplaced')
      const [another] = planPlacements({ nodes: [node('a', {})], placed }, [pending('x', of('second', second, 'tcp'))])
      assert.equal(another?.type, 'placed', 'protocols have ports of their own')
    }
  })

function node(id: string, part: Partial<SchedulableNode>): SchedulableNode {
  return {
    id,
    isReady: true,
    availability: 'active',
    hostname: `host-${id}`,
    role: 'worker',
    platform: { os: 'linux', architecture: 'amd64' },
    labels: {},
    engineLabels: {},
    address: '10.0.0.1',
    nanoCpus: 8e9,
    memoryBytes: 32 * GIB,
    volumes: [],
    ...part,
  }
}

function group(part: Partial<TaskGroup>): TaskGroup {
  return {
    serviceId: 'web',
    serviceName: 'web',
    revision: 1,
    priority: 0,
    nanoCpus: 0,
    memoryBytes: 0,
    constraints: [],
    platforms: [],
    spread: [],
    affinities: [],
    maxPerNode: 0,
    hostPorts: [],
    volumes: [],
    ...part,
  }
}

function task(id: string, nodeId: string, of: TaskGroup): PlacedTask {
  return { id, nodeId, group: of }
}

function pending(id: string, of: TaskGroup): PendingTask {
  return { id, group: of, onlyNode: null }
}
