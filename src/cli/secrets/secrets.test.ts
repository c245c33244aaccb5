import assert from 'node:assert/strict'
import { test } from 'node:test'

import { secretPage } from './inspect-secrets.ts'

const DETAILS = {
  kind: 'config',
  id: 'ra62l0wlx75fkdmnq96fcub3k',
  name: 'app.conf',
  labels: { team: 'shop' },
  version: 2,
  fingerprint: '37ab',
  createdAtMs: 1_700_000_000_000,
  updatedAtMs: 1_700_000_060_000,
  revision: 9,
  usedBy: ['web', 'worker'],
} as const

test('a page for people has a line for each thing, and a config’s value as it is', () => {
  const head = `ID:          ra62l0wlx75fkdmnq96fcub3k
Name:        app.conf
Version:     2
Fingerprint: 37ab
Created:     2023-11-14T22:13:20.000Z
Updated:     2023-11-14T22:14:20.000Z
Used by:     web, worker
Label:       team=shop
`
  assert.equal(secretPage(DETAILS), head)
  assert.equal(secretPage({ ...DETAILS, value: Buffer.from('port = 80').toString('base64') }), `${head}\nport = 80\n`)
  assert.match(secretPage({ ...DETAILS, usedBy: [] }), /^Used by: {5}nobody$/m)
})
