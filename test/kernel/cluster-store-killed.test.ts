import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { systemClock } from '#base'
import { openSqliteStore } from '#cluster/store'

const WRITER = join(import.meta.dirname, 'cluster-store-writer.ts')
/** 200 for the long form. */
const ROUNDS = Number(process.env['GLOVEBOX_STORE_ROUNDS'] ?? 6)
const LONGEST_MS = 400

interface Acknowledged {
  readonly writer: number
  readonly number: number
  readonly revision: number
}

test('a writer that is killed at any moment loses nothing that it was told is written', { timeout: 600_000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-cluster-store-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'cluster.db')
  let before = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const told = await writeUntilKilled(path, Math.random() * LONGEST_MS)
    assert.ok(told.length > 0, 'it wrote before it was killed')
    assert.equal(Math.min(...told.map(({ revision }) => revision)) > before, true, 'revisions go on')
    before = await examine(path, told)
  }
})

async function writeUntilKilled(path: string, afterMs: number): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said = text(child.stdout)
  await new Promise((resolve) => child.stdout.once('readable', resolve))
  await sleep(afterMs)
  child.kill('SIGKILL')
  const lines = (await said).split('\n')
  // A line may be cut off; what is not told counts for nothing.
  return lines.slice(0, -1).map((line) => {
    const [writer = 0, number = 0, revision = 0] = line.split(' ').map(Number)
    return { writer, number, revision }
  })
}

async function examine(path: string, told: readonly Acknowledged[]): Promise<number> {
  await using store = openSqliteStore({ path, clock: systemClock() })
  const { revision, entries } = await store.range<unknown>('')
  assert.ok(revision >= Math.max(...told.map((one) => one.revision)))
  const values = new Map(entries.map(({ key, value }) => [key, value]))
  for (const [writer, own] of Map.groupBy(told, (one) => one.writer)) {
    const last = Number(values.get(`last/${writer}`))
    const acknowledged = Math.max(...own.map(({ number }) => number))
    // One write more may have been durable without having been told.
    assert.ok(last === acknowledged || last === acknowledged + 1, `writer ${writer}: ${last} after ${acknowledged}`)
    const { number } = values.get(`k/${writer}/${last % 50}`) as { readonly number: number }
    assert.equal(number, last, 'a transaction is there whole')
  }
  await examineLog(store, revision, values)
  return revision
}

/** What the log tells ends in what is there, and it has no gap. */
async function examineLog(
  store: ReturnType<typeof openSqliteStore>,
  revision: number,
  values: ReadonlyMap<string, unknown>,
): Promise<void> {
  const from = Math.max(0, revision - 100)
  const last = new Map<string, unknown>()
  let expected = from + 1
  for await (const batch of store.watch('', from, AbortSignal.timeout(10_000))) {
    assert.equal(batch.revision, expected)
    expected += 1
    for (const { key, value } of batch.changes) last.set(key, value)
    if (batch.revision === revision) break
  }
  for (const [key, value] of last) assert.deepEqual(values.get(key) ?? null, value)
}
