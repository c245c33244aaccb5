import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'

import { openReserve } from './reserve.ts'
import { openStore } from './sqlite.ts'
import { writerOf } from './writer.ts'

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-store-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('records are there again after closing, and what a transaction did is there whole or not at all', (t) => {
  const path = join(scratch(t), 'state.db')
  {
    using store = openStore(path)
    const table = store.table<{ n: number }>('a')
    store.atomically(() => {
      table.put('x', { n: 1 })
      store.atomically(() => table.put('y', { n: 2 }))
    })
    assert.throws(() =>
      store.atomically(() => {
        table.delete('x')
        throw new Error('no')
      }),
    )
    table.note('z', { n: 3 })
  }
  using store = openStore(path)
  assert.deepEqual(store.table('a').entries(), [
    ['x', { n: 1 }],
    ['y', { n: 2 }],
    ['z', { n: 3 }],
  ])
})

test('nobody but the owner reads the file, nor what SQLite keeps beside it', (t) => {
  const path = join(scratch(t), 'state.db')
  writeFileSync(path, '', { mode: 0o644 })
  using store = openStore(path)
  store.table('a').put('x', 1)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
})

test('the reserve takes space, gives it once, and is renewed', (t) => {
  const path = join(scratch(t), 'reserve')
  const reserve = openReserve(path)
  assert.ok(statSync(path).blocks * 512 >= 1024 * 1024)
  assert.deepEqual([reserve.give(), reserve.give()], [true, false])
  assert.equal(statSync(path, { throwIfNoEntry: false }), undefined)
  reserve.renew()
  assert.equal(openReserve(path).give(), true)
})

/** A database whose disk is full at chosen moments, as SQLite tells of it. */
function fullAt(moments: ReadonlySet<number>, endsTransaction: boolean) {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER)')
  const insert = database.prepare('INSERT INTO t VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v')
  let moment = 0
  let given = 0
  const failHere = () => {
    moment += 1
    if (!moments.has(moment)) return
    if (endsTransaction && database.isTransaction) database.exec('ROLLBACK')
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
  }
  const reserve = { give: () => ((given += 1), given <= 1), renew: () => undefined }
  const shown = new Proxy(database, {
    get: (target, key) => {
      if (key === 'isTransaction') return target.isTransaction
      if (key !== 'exec') return Reflect.get(target, key)
      return (sql: string) => {
        if (sql === 'COMMIT') failHere()
        target.exec(sql)
      }
    },
  })
  const writer = writerOf(shown, reserve)
  const put = (k: number, v: number) =>
    writer.write('FULL', () => {
      failHere()
      insert.run(k, v)
    })
  const rows = () =>
    new Map(
      database
        .prepare('SELECT k, v FROM t')
        .all()
        .map((row) => [Number(row['k']), Number(row['v'])]),
    )
  return { writer, put, rows }
}

test('whenever the disk is full once, a transaction is done in full all the same', () => {
  const writes = fc.array(fc.tuple(fc.nat(4), fc.nat(9)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(writes, fc.nat(8), fc.boolean(), (pairs, moment, endsTransaction) => {
      const { writer, put, rows } = fullAt(new Set([moment]), endsTransaction)
      writer.atomically(() => {
        for (const [k, v] of pairs) put(k, v)
      })
      assert.deepEqual(Object.fromEntries(rows()), Object.fromEntries(pairs))
    }),
  )
})

test('when the disk stays full the error says so and nothing of the transaction is there', () => {
  const { writer, put, rows } = fullAt(new Set([2, 3, 4, 5, 6, 7, 8]), true)
  assert.throws(
    () =>
      writer.atomically(() => {
        put(1, 1)
        put(2, 2)
      }),
    /write a record: the disk is full/,
  )
  assert.equal(rows().size, 0)
})
