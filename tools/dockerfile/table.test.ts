import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { dockerfilePage, ROWS } from './page.ts'
import { tryRow } from './try-row.ts'

describe('each row of the page on Dockerfiles is what a build does', () => {
  for (const row of ROWS) test(`${row.area}: ${row.item}`, async () => await tryRow(row))
})

test('each row stands once, and the page has it', () => {
  const names = ROWS.map(({ area, item }) => `${area}: ${item}`)
  assert.equal(new Set(names).size, names.length)
  const page = dockerfilePage()
  for (const { item } of ROWS) assert.ok(page.includes(item.replaceAll('|', '\\|')), item)
})
