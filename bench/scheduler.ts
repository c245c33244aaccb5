import { join } from 'node:path'

import { seededRandom, silentLog, systemClock } from '#base'
import { keyOf, type NodeRecord, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import { createScheduler, planPlacements, startScheduling, type PendingTask, type TaskGroup } from '#cluster/scheduler'
import { openMirror } from '#cluster/services'
import { PLAIN_SERVICE } from '#cluster/spec'
import { openSqliteStore, type ClusterStore } from '#cluster/store'

import { inTurn, summarise, type Summary } from './measure.ts'
import type { Row } from './rows.ts'
import { benchGroup, benchNodes, benchTasks } from './scheduler-cluster.ts'

const TASKS = 100_000
const NODES = 5000
const DURABLE_TASKS = 20_000
const RUNS = 5
const SSD: Partial<TaskGroup> = { constraints: [{ key: 'node.labels.disk', operator: '==', value: 'ssd' }] }
const ZONES: Partial<TaskGroup> = { ...SSD, spread: ['node.labels.zone'] }

/** Decisions in memory, how well they pack, and decisions written down. */
export async function scheduling(directory: string): Promise<readonly Row[]> {
  return [...(await inMemory()), packing(), await durable(directory)]
}

async function inMemory(): Promise<readonly Row[]> {
  const nodes = benchNodes(NODES)
  const cases = [
    { name: 'one constraint, 1 service', services: 1, part: SSD, perSecond: 50_000 },
    { name: 'one constraint, 1,000 services', services: 1000, part: SSD, perSecond: 50_000 },
    { name: 'zone spread, 1 service', services: 1, part: ZONES, perSecond: 20_000 },
    { name: 'zone spread, 1,000 services', services: 1000, part: ZONES, perSecond: 20_000 },
  ]
  const measured = await inTurn(
    cases.map(({ name, services, part }) => ({
      name,
      run: async () => {
        const scheduler = createScheduler()
        for (const node of nodes) scheduler.putNode(node)
        const placements = scheduler.place(benchTasks(TASKS, services, part))
        if (placements.some(({ type }) => type !== 'placed')) throw new Error(`${name}: a task was not placed`)
        await Promise.resolve()
      },
    })),
    RUNS,
    1,
  )
  return cases.map(({ name, perSecond }) =>
    rate(`scheduler: ${TASKS} tasks on ${NODES} nodes, in memory`, name, TASKS, perSecond, measured.get(name)),
  )
}

/** Tasks of many sizes; no packing can need fewer nodes than the sum of what they reserve. */
function packing(): Row {
  const random = seededRandom(7)
  const [nodeCpus, nodeBytes] = [16e9, 64 * 1024 ** 3]
  const nodes = benchNodes(1000)
  const tasks: readonly PendingTask[] = Array.from({ length: 5000 }, (_, index) => {
    const nanoCpus = (1 + random.integer(40)) * 1e8
    const memoryBytes = (1 + random.integer(40)) * 1024 ** 3 * 0.4
    return { id: `task-${index}`, group: benchGroup(index, { nanoCpus, memoryBytes }), onlyNode: null }
  })
  const placements = planPlacements({ nodes, placed: [] }, tasks, { strategy: 'pack', seed: 1 })
  const used = new Set(placements.map((placement) => (placement.type === 'placed' ? placement.nodeId : 'none')))
  if (used.has('none')) throw new Error('a task was not placed')
  const sum = (amount: 'nanoCpus' | 'memoryBytes') => tasks.reduce((total, { group }) => total + group[amount], 0)
  const bound = Math.ceil(Math.max(sum('nanoCpus') / nodeCpus, sum('memoryBytes') / nodeBytes))
  return {
    what: 'scheduler: nodes used by 5000 tasks of many sizes',
    subject: 'packing',
    median: used.size,
    min: used.size,
    p90: used.size,
    unit: 'nodes',
    runs: 1,
    ratio: { to: `lower bound of ${bound}`, value: used.size / bound, bar: 1.1 },
  }
}

/** From tasks that wait in the file to the last one that has its node in the file. */
async function durable(directory: string): Promise<Row> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const clock = systemClock()
    const ports = { clock, log: silentLog() }
    await using store = openSqliteStore({ clock, path: join(directory, `scheduler-${run}.db`) })
    await fill(store)
    const start = performance.now()
    await using picture = openMirror({ ...ports, store, prefixes: ['node/', 'service/', 'revision/', 'task/'] })
    await using loop = startScheduling({
      ...ports,
      store,
      picture,
      settings: { strategy: 'spread', seed: 1 },
      rebalanceEveryMs: null,
    })
    await loop.idle()
    times.push(performance.now() - start)
    const { entries } = await store.range<TaskRecord>('task/')
    const left = entries.filter(({ value }) => value.status.state !== 'assigned').length
    if (left > 0) throw new Error(`${left} tasks have no node`)
  }
  return rate(`scheduler: ${DURABLE_TASKS} tasks, written to SQLite`, 'the loop', DURABLE_TASKS, 5000, summarise(times))
}

async function fill(store: ClusterStore): Promise<void> {
  const service = { id: 'web', name: 'web', stack: null, revision: 1 } as ServiceRecord
  const { constraints } = { ...benchGroup(0, SSD) }
  const spec = {
    ...PLAIN_SERVICE,
    ports: [],
    placement: { ...PLAIN_SERVICE.placement, constraints },
    task: { mounts: [], resources: { reservedNanoCpus: 1e8, memoryReservationBytes: 1024 ** 2 } },
  }
  const revision = { serviceId: 'web', number: 1, spec, parts: { volumes: [] } } as unknown as RevisionRecord
  const nodes = benchNodes(1000).map((node): readonly [string, NodeRecord] => [
    keyOf('node', node.id),
    {
      id: node.id,
      labels: node.labels,
      role: node.role,
      availability: 'active',
      createdAtMs: 0,
      updatedAtMs: 0,
      description: { ...node, engineVersion: '1' },
      status: { state: 'ready', sinceMs: 0, message: '', address: node.address },
    },
  ])
  const tasks = Array.from({ length: DURABLE_TASKS }, (_, index) => waiting(`task-${index}`, index + 1))
  const puts = [
    [keyOf('service', 'web'), service] as const,
    [keyOf('revision', 'web', 1), revision] as const,
    ...nodes,
    ...tasks.map((task) => [keyOf('task', task.id), task] as const),
  ].map(([key, value]) => ({ key, value }))
  for (let from = 0; from < puts.length; from += 2000) await store.write({ puts: puts.slice(from, from + 2000) })
}

function waiting(id: string, slot: number): TaskRecord {
  return {
    id,
    serviceId: 'web',
    revision: 1,
    slot,
    nodeId: null,
    desiredState: 'running',
    status: {
      state: 'pending',
      sinceMs: 0,
      message: 'waits for a node',
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

function rate(what: string, subject: string, tasks: number, perSecond: number, measured: Summary | undefined): Row {
  if (measured === undefined) throw new Error(`${subject} was not measured`)
  const of = (ms: number) => Math.round((tasks / ms) * 1000)
  return {
    what,
    subject,
    median: of(measured.medianMs),
    min: of(measured.minMs),
    p90: of(measured.p90Ms),
    unit: '/s',
    runs: measured.runs,
    ratio: { to: `${perSecond}/s`, value: perSecond / of(measured.medianMs), bar: 1 },
  }
}
