import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  createScheduler,
  schedulerOf,
  type PendingTask,
  type PlacedTask,
  type Placement,
  type SchedulableNode,
  type SchedulerSettings,
  type TaskGroup,
} from './index.ts'

/** Random clusters for each property: `GLOVEBOX_SCHEDULER_CASES=100000` is the long form. */
const CASES = Number(process.env['GLOVEBOX_SCHEDULER_CASES'] ?? 400)

const zone = fc.constantFrom('a', 'b', 'c', '')
const node: fc.Arbitrary<Omit<SchedulableNode, 'id' | 'hostname'>> = fc.record({
  isReady: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  availability: fc.constantFrom('active', 'active', 'active', 'active', 'pause', 'drain'),
  role: fc.constantFrom('worker', 'manager'),
  platform: fc.constantFrom({ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }),
  labels: zone.map((value): Record<string, string> => (value === '' ? {} : { zone: value })),
  engineLabels: fc.constantFrom<Record<string, string>>({}, { gpu: 'yes' }),
  address: fc.constantFrom('10.0.0.1', '10.1.0.1'),
  nanoCpus: fc.constantFrom(1e9, 2e9, 4e9),
  memoryBytes: fc.constantFrom(100, 200, 400),
  volumes: fc.subarray(['v1', 'v2'], { maxLength: 1 }),
})

const names = ['web', 'db', 'jobs', 'cache', 'log']
const group: fc.Arbitrary<Omit<TaskGroup, 'serviceId' | 'serviceName'>> = fc.record({
  revision: fc.integer({ min: 1, max: 2 }),
  priority: fc.constantFrom(0, 0, 0, 5, 10),
  nanoCpus: fc.constantFrom(0, 0.3e9, 0.5e9, 1e9),
  memoryBytes: fc.constantFrom(0, 10, 30, 90),
  constraints: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 2,
      arbitrary: fc.array(
        fc.constantFrom(
          { key: 'node.labels.zone', operator: '==' as const, value: 'A' },
          { key: 'node.labels.zone', operator: '!=' as const, value: 'b' },
          { key: 'node.role', operator: '==' as const, value: 'worker' },
          { key: 'node.ip', operator: '==' as const, value: '10.0.0.0/16' },
          { key: 'node.platform.arch', operator: '==' as const, value: 'x86_64' },
          { key: 'engine.labels.gpu', operator: '!=' as const, value: 'yes' },
          { key: 'node.hostname', operator: '!=' as const, value: 'host-1' },
        ),
        { maxLength: 2 },
      ),
    },
  ),
  platforms: fc.constantFrom([], [], [], [{ os: 'linux', architecture: 'aarch64' }]),
  spread: fc.constantFrom([], ['node.labels.zone'], ['node.labels.zone', 'node.id']),
  affinities: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({
          type: fc.constantFrom('affinity' as const, 'anti-affinity' as const),
          service: fc.constantFrom(...names),
          topology: fc.constantFrom('node.id', 'node.labels.zone'),
          isRequired: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
    },
  ),
  maxPerNode: fc.constantFrom(0, 0, 1, 2),
  hostPorts: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        [{ protocol: 'tcp' as const, published: 80, hostIp: '' }],
        [{ protocol: 'tcp' as const, published: 80, hostIp: '10.0.0.1' }],
        [{ protocol: 'tcp' as const, published: 80, hostIp: '10.0.0.2' }],
        [{ protocol: 'udp' as const, published: 80, hostIp: '::' }],
        [{ protocol: 'udp' as const, published: 80, hostIp: '::1' }],
        [{ protocol: 'sctp' as const, published: null, hostIp: '' }],
      ),
    },
  ),
  volumes: fc.constantFrom([], [], [], ['v1'], ['v3']),
})

type Operation =
  | { readonly type: 'place'; readonly tasks: readonly { readonly group: number; readonly onlyNode: number | null }[] }
  | { readonly type: 'drop-tasks'; readonly every: number }
  | { readonly type: 'change-node'; readonly index: number; readonly to: Omit<SchedulableNode, 'id' | 'hostname'> }
  | { readonly type: 'drop-node'; readonly index: number }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('place' as const),
      tasks: fc.array(
        fc.record({
          group: fc.nat(7),
          onlyNode: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(9) }),
        }),
        { minLength: 1, maxLength: 25 },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('drop-tasks' as const), every: fc.integer({ min: 2, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('change-node' as const), index: fc.nat(9), to: node }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('drop-node' as const), index: fc.nat(9) }) },
)

const story = fc.record({
  seed: fc.nat(),
  strategy: fc.constantFrom<SchedulerSettings['strategy']>('spread', 'pack'),
  nodes: fc.array(node, { maxLength: 9 }),
  groups: fc.array(fc.tuple(fc.constantFrom(...names), group), { minLength: 1, maxLength: 6 }),
  operations: fc.array(operation, { minLength: 1, maxLength: 8 }),
})

test('over random clusters and their changes nothing is given out twice, every condition holds, and nothing that fits is refused', () => {
  fc.assert(
    fc.property(story, ({ seed, strategy, nodes, groups, operations }) => {
      const settings = { seed, strategy }
      const world = new Map(nodes.map((part, index) => [`n${index}`, nodeOf(part, index)]))
      const kinds = distinct(groups)
      const standing = new Map<string, PlacedTask>()
      const scheduler = createScheduler(settings)
      for (const one of world.values()) scheduler.putNode(one)
      let next = 0
      for (const step of operations) {
        if (step.type === 'change-node') {
          const one = nodeOf(step.to, step.index)
          world.set(one.id, one)
          scheduler.putNode(one)
        } else if (step.type === 'drop-node') {
          world.delete(`n${step.index}`)
          scheduler.dropNode(`n${step.index}`)
        } else if (step.type === 'drop-tasks') {
          for (const [index, id] of [...standing.keys()].entries())
            if (index % step.every === 0) {
              standing.delete(id)
              scheduler.dropTask(id)
            }
        } else {
          const pending = step.tasks.map(({ group: kind, onlyNode }): PendingTask => {
            next += 1
            return { id: `t${next}`, group: kinds[kind % kinds.length]!, onlyNode: onlyNode === null ? null : `n${onlyNode}` }
          })
          const before = new Map(standing)
          // The same, told in another order, all at once.
          const anew = schedulerOf(
            { nodes: [...world.values()].toReversed(), placed: [...standing.values()].toReversed() },
            settings,
          )
          const placements = scheduler.place(pending)
          assert.deepEqual(placements, anew.place(pending), 'from scratch it would be decided otherwise')
          checkPlacements(world, before, standing, pending, placements)
        }
      }
    }),
    { numRuns: CASES },
  )
})

test('zones and racks differ by one task at most when there is room everywhere', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
      fc.nat(),
      (places, counts, seed) => {
        const nodes = places.map(([zoneAt, rack], index) =>
          nodeOf({ ...PLAIN_NODE, labels: { zone: `z${zoneAt}`, rack: `r${rack}` } }, index),
        )
        const scheduler = schedulerOf({ nodes, placed: [] }, { seed, strategy: 'spread' })
        const of = { ...PLAIN_GROUP, spread: ['node.labels.zone', 'node.labels.rack'] }
        const at = new Map<string, string>()
        for (const [batch, count] of counts.entries())
          for (const placement of scheduler.place(
            Array.from({ length: count }, (_, index) => ({ id: `${batch}.${index}`, group: of, onlyNode: null })),
          ))
            if (placement.type === 'placed') at.set(placement.taskId, placement.nodeId)
        assert.equal(
          at.size,
          counts.reduce((sum, count) => sum + count, 0),
        )
        const tallies = (keyOf: (one: SchedulableNode) => string, among: readonly SchedulableNode[]) => {
          const tally = new Map(among.map((one) => [keyOf(one), 0]))
          for (const nodeId of at.values()) {
            const one = among.find(({ id }) => id === nodeId)
            if (one !== undefined) tally.set(keyOf(one), tally.get(keyOf(one))! + 1)
          }
          return [...tally.values()]
        }
        const isEven = (values: readonly number[]) => Math.max(...values) - Math.min(...values) <= 1
        assert.ok(isEven(tallies((one) => one.labels['zone']!, nodes)))
        for (const among of Map.groupBy(nodes, (one) => one.labels['zone']!).values()) {
          assert.ok(isEven(tallies((one) => one.labels['rack']!, among)))
          for (const rack of Map.groupBy(among, (one) => one.labels['rack']!).values())
            assert.ok(isEven(tallies((one) => one.id, rack)))
        }
      },
    ),
    { numRuns: CASES },
  )
})

function checkPlacements(
  world: ReadonlyMap<string, SchedulableNode>,
  before: ReadonlyMap<string, PlacedTask>,
  standing: Map<string, PlacedTask>,
  pending: readonly PendingTask[],
  placements: readonly Placement[],
): void {
  assert.deepEqual(placements.map(({ taskId }) => taskId).toSorted(), pending.map(({ id }) => id).toSorted())
  const byId = new Map(pending.map((task) => [task.id, task]))
  for (const placement of placements) {
    const task = byId.get(placement.taskId)!
    if (placement.type === 'unplaced') {
      const looked = task.onlyNode === null ? world.size : world.has(task.onlyNode) ? 1 : 0
      assert.equal(
        placement.refusals.reduce((sum, { nodes }) => sum + nodes, 0),
        looked,
        'a node is not counted once',
      )
      assert.ok(placement.refusals.length > 0 && placement.refusals.every(({ reason, advice }) => reason !== '' && advice !== ''))
      continue
    }
    for (const victim of placement.preempts) {
      assert.ok(before.has(victim), 'what was just placed is ended again')
      assert.ok(standing.get(victim)!.group.priority < task.group.priority, 'one of the same or a higher priority is ended')
      assert.equal(standing.get(victim)!.nodeId, placement.nodeId)
      standing.delete(victim)
    }
    if (task.onlyNode !== null) assert.equal(placement.nodeId, task.onlyNode)
    assert.notEqual(placement.reason, '')
    assert.equal(whyNot(world, standing, task.group, placement.nodeId, [...before.values(), ...standing.values()]), null)
    standing.set(task.id, { id: task.id, nodeId: placement.nodeId, group: task.group })
  }
  if (placements.some((placement) => placement.type === 'placed' && placement.preempts.length > 0)) return
  for (const placement of placements) {
    const task = byId.get(placement.taskId)!
    const free = [...world.keys()].filter((id) => whyNot(world, standing, task.group, id) === null)
    const isLater = task.group.affinities.some(({ isRequired, type }) => isRequired && type === 'affinity')
    if (placement.type === 'unplaced') {
      // What a task must be near to may have come after it.
      if (!isLater) assert.deepEqual(task.onlyNode === null ? free : free.filter((id) => id === task.onlyNode), [])
    } else if (task.group.spread.length > 0 && !isLater && pending.every((one) => isAlike(one, task))) {
      const zoneOf = (id: string) => world.get(id)?.labels['zone'] ?? ''
      const inZone = (value: string) =>
        [...standing.values()].filter(
          ({ nodeId, group: { serviceId } }) =>
            serviceId === task.group.serviceId && zoneOf(nodeId) === value && isCounted(world.get(nodeId)),
        ).length
      for (const other of free)
        assert.ok(inZone(zoneOf(placement.nodeId)) <= inZone(zoneOf(other)) + 1, 'a zone with fewer tasks had room')
    }
  }
}

/** Neither a task that had no choice, nor one of another revision, which may be spread in another way. */
function isAlike(one: PendingTask, task: PendingTask): boolean {
  return one.onlyNode === null && (one.group === task.group || one.group.serviceId !== task.group.serviceId)
}

function isCounted(one: SchedulableNode | undefined): boolean {
  return one !== undefined && one.isReady && one.availability !== 'drain'
}

/** The conditions once more, written down as plainly as can be. Null: the node may take a task of the group. */
function whyNot(
  world: ReadonlyMap<string, SchedulableNode>,
  standing: ReadonlyMap<string, PlacedTask>,
  of: TaskGroup,
  nodeId: string,
  /** Those whose volumes are where they stand: of tasks that were just ended too. */
  writers: readonly PlacedTask[] = [...standing.values()],
): string | null {
  const one = world.get(nodeId)
  if (one === undefined) return 'unknown'
  if (!one.isReady || one.availability !== 'active') return 'closed'
  for (const { key, operator, value } of of.constraints) {
    const arch = one.platform.architecture === 'amd64' ? 'x86_64' : one.platform.architecture
    const found: Record<string, string | undefined> = {
      'node.labels.zone': one.labels['zone']?.toUpperCase(),
      'node.role': one.role.toUpperCase(),
      'node.ip': one.address.startsWith('10.0.') ? '10.0.0.0/16' : 'other',
      'node.platform.arch': arch.toUpperCase(),
      'engine.labels.gpu': one.engineLabels['gpu']?.toUpperCase(),
      'node.hostname': one.hostname.toUpperCase(),
    }
    if ((found[key] === value.toUpperCase()) !== (operator === '==')) return 'constraint'
  }
  if (of.platforms.length > 0 && one.platform.architecture !== 'arm64') return 'platform'
  const all = [...standing.values()].filter((task) => world.has(task.nodeId))
  const here = all.filter((task) => task.nodeId === nodeId)
  const sum = (amount: 'nanoCpus' | 'memoryBytes') => here.reduce((total, task) => total + task.group[amount], 0)
  if (of.nanoCpus > 0 && sum('nanoCpus') + of.nanoCpus > one.nanoCpus) return 'cpu'
  if (of.memoryBytes > 0 && sum('memoryBytes') + of.memoryBytes > one.memoryBytes) return 'memory'
  for (const mine of of.hostPorts)
    for (const taken of here.flatMap((task) => task.group.hostPorts)) {
      if (mine.published === null || taken.published !== mine.published || taken.protocol !== mine.protocol) continue
      const wide = [mine.hostIp, taken.hostIp]
      if (mine.hostIp === taken.hostIp || wide.includes('::') || (wide.includes('') && !wide.includes('::1'))) return 'port'
    }
  for (const volume of of.volumes) {
    const holders = [...world.keys()].filter(
      (id) =>
        world.get(id)!.volumes.includes(volume) ||
        writers.some((task) => task.nodeId === id && task.group.volumes.includes(volume)),
    )
    if (holders.length > 0 && !holders.includes(nodeId)) return 'volume'
  }
  const own = here.filter((task) => task.group.serviceId === of.serviceId).length
  if (of.maxPerNode > 0 && own >= of.maxPerNode) return 'max'
  const placeOf = (id: string, topology: string) => (topology === 'node.id' ? id : (world.get(id)?.labels['zone'] ?? ''))
  const near = (service: string, topology: string) =>
    all.filter((task) => task.group.serviceName === service && placeOf(task.nodeId, topology) === placeOf(nodeId, topology))
  for (const { type, service, topology, isRequired } of of.affinities) {
    if (!isRequired) continue
    const isFirst = service === of.serviceName && !all.some((task) => task.group.serviceName === service)
    if (type === 'affinity' && near(service, topology).length === 0 && !isFirst) return 'affinity'
    if (type === 'anti-affinity' && near(service, topology).length > 0) return 'anti-affinity'
  }
  for (const other of all)
    for (const { type, service, topology, isRequired } of other.group.affinities)
      if (isRequired && type === 'anti-affinity' && service === of.serviceName)
        if (placeOf(other.nodeId, topology) === placeOf(nodeId, topology)) return 'kept away'
  return null
}

/** One group for each service and revision. */
function distinct(groups: readonly (readonly [string, Omit<TaskGroup, 'serviceId' | 'serviceName'>])[]): readonly TaskGroup[] {
  const kinds = new Map(
    groups.map(([name, part]) => [`${name}@${part.revision}`, { ...part, serviceId: `id-${name}`, serviceName: name }]),
  )
  return [...kinds.values()]
}

function nodeOf(part: Omit<SchedulableNode, 'id' | 'hostname'>, index: number): SchedulableNode {
  return { ...part, id: `n${index}`, hostname: `host-${index}` }
}

const PLAIN_NODE: Omit<SchedulableNode, 'id' | 'hostname'> = {
  isReady: true,
  availability: 'active',
  role: 'worker',
  platform: { os: 'linux', architecture: 'amd64' },
  labels: {},
  engineLabels: {},
  address: '10.0.0.1',
  nanoCpus: 1e12,
  memoryBytes: 1e12,
  volumes: [],
}

const PLAIN_GROUP: TaskGroup = {
  serviceId: 'id-web',
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
}
