import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { systemClock } from '#base'
import { keyOf, type TaskRecord } from '#cluster/model'
import { type ClusterStore, openSqliteStore } from '#cluster/store'

import type { Row } from './rows.ts'

/** Durable writes of tasks a second. */
const BAR = 5000
/** What a scheduler writes at a time: one transaction for each task, so that one that changed meanwhile refuses none of the others. */
const BATCH = 256
const BATCHES = 40
const SINGLES = 2000
/** The loops and agents of a small cluster, each with one write under way. */
const WRITERS = 16
const WATCHERS = 8
/** Two pages of SQLite, with their headers: what one write puts into the write-ahead log. */
const FRAMES_BYTES = 2 * (4096 + 24)
/** Transaction, comparison, log of changes and watchers, in times of the disk. */
const FLOOR_BAR = 2.5
const TASKS = 10_000

/** How many changes of tasks the cluster's store makes durable. */
export async function clusterStore(directory: string): Promise<readonly Row[]> {
  await using store = openSqliteStore({ path: join(directory, 'cluster.db'), clock: systemClock() })
  const revisions = await fill(store)
  const stop = new AbortController()
  const watching = Array.from({ length: WATCHERS }, async () => await follow(store, stop.signal))
  const rows = [
    await rate('cluster store: batches of a scheduler', BATCH * BATCHES, async () => {
      for (let batch = 0; batch < BATCHES; batch += 1)
        await Promise.all(Array.from({ length: BATCH }, async (_, n) => await change(store, revisions, batch * BATCH + n)))
    }),
    await rate(`cluster store: ${WRITERS} writers of one task at a time`, SINGLES * WRITERS, async () => {
      await Promise.all(
        Array.from({ length: WRITERS }, async (_, writer) => {
          for (let n = 0; n < SINGLES; n += 1) await change(store, revisions, writer * (TASKS / WRITERS) + n)
        }),
      )
    }),
    ...(await single(store, revisions, directory)),
  ]
  const seen = (await store.range('')).revision
  stop.abort()
  for (const last of await Promise.all(watching)) if (last < seen - BATCH) throw new Error(`a watcher is at ${last} of ${seen}`)
  return rows
}

async function fill(store: ClusterStore): Promise<Map<number, number>> {
  const revisions = new Map<number, number>()
  for (let start = 0; start < TASKS; start += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, TASKS - start) }, (_, n) => start + n)
    const revision = await store.write({ puts: numbers.map((n) => ({ key: keyOf('task', String(n)), value: task(n, 0) })) })
    for (const n of numbers) revisions.set(n, revision ?? 0)
  }
  return revisions
}

/** As loops write: compare with what was read, and put. */
async function change(store: ClusterStore, revisions: Map<number, number>, number: number): Promise<void> {
  const n = number % TASKS
  const key = keyOf('task', String(n))
  const at = revisions.get(n) ?? 0
  const revision = await store.write({ conditions: [{ key, revision: at }], puts: [{ key, value: task(n, at) }] })
  if (revision === null) throw new Error(`nobody else writes ${key}, and it changed`)
  revisions.set(n, revision)
}

async function follow(store: ClusterStore, signal: AbortSignal): Promise<number> {
  let { revision } = await store.range('')
  for await (const batch of store.watch('task/', revision, signal)) revision = batch.revision
  return revision
}

/** Who waits for each write waits for the disk: the floor is a file that is appended to and flushed. */
async function single(store: ClusterStore, revisions: Map<number, number>, directory: string): Promise<readonly Row[]> {
  const floor = await perSecond(SINGLES, async () => await Promise.resolve(flushes(join(directory, 'floor'))))
  const ours = await perSecond(SINGLES, async () => {
    for (let n = 0; n < SINGLES; n += 1) await change(store, revisions, n)
  })
  const what = 'cluster store: a single writer that waits for each write'
  const ratio = { to: 'appends flushed to the disk, floor over ours', value: floor / ours, bar: FLOOR_BAR }
  return [row(what, 'the disk', floor, null), row(what, 'glovebox', ours, ratio)]
}

function flushes(path: string): void {
  const fd = openSync(path, 'w')
  const frames = Buffer.alloc(FRAMES_BYTES)
  for (let n = 0; n < SINGLES; n += 1) {
    writeSync(fd, frames)
    fdatasyncSync(fd)
  }
  closeSync(fd)
}

async function rate(what: string, writes: number, work: () => Promise<void>): Promise<Row> {
  const figure = await perSecond(writes, work)
  return row(what, 'glovebox', figure, { to: `${BAR}/s, bar over the figure`, value: BAR / figure, bar: 1 })
}

async function perSecond(writes: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (writes * 1000) / (performance.now() - start)
}

function row(what: string, subject: string, figure: number, ratio: Row['ratio']): Row {
  return { what, subject, median: figure, min: figure, p90: figure, unit: '/s', runs: 1, ratio }
}

function task(n: number, at: number): TaskRecord {
  return {
    id: String(n).padStart(25, 'k'),
    serviceId: 'j3k5h2g6f7d8s9a0q1w2e3r4t',
    revision: 3,
    slot: n,
    nodeId: 'n3k5h2g6f7d8s9a0q1w2e3r4t',
    desiredState: 'running',
    status: {
      state: 'running',
      sinceMs: 1_700_000_000_000 + at,
      message: 'started',
      error: '',
      containerId: 'c'.repeat(64),
      exitCode: null,
      isOomKilled: false,
      isReady: true,
      addresses: { web_default: '10.201.3.17' },
      hostPorts: [{ protocol: 'tcp', containerPort: 80, hostPort: 30_000 }],
    },
    startAfterMs: 0,
    runId: null,
    placement: 'fewest tasks of its service, most free memory',
    createdAtMs: 1_700_000_000_000,
    updatedAtMs: 1_700_000_000_000 + at,
  }
}
