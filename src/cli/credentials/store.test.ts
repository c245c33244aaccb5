import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import type { CliContext } from '../command.ts'
import { eraseCredentials, serverKey, storeCredentials, storedCredentials } from './store.ts'

let directory = ''
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'credentials-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const context = () => ({ env: {}, configDir: directory }) as unknown as CliContext
const file = () => join(directory, 'config.json')
const config = () => JSON.parse(readFileSync(file(), 'utf8')) as Record<string, unknown>
const credentials = { username: 'me', password: 'p:w', identityToken: '' }

test('what is stored is found again, by docker too, and nothing else in the file changes', async () => {
  writeFileSync(file(), JSON.stringify({ psFormat: 'x', auths: { other: { auth: 'YTpi' } } }))
  await storeCredentials('r.example.org', credentials, context())
  assert.deepEqual(await storedCredentials('r.example.org', context()), { username: 'me', password: 'p:w' })
  assert.deepEqual(config(), {
    psFormat: 'x',
    auths: { other: { auth: 'YTpi' }, 'r.example.org': { auth: Buffer.from('me:p:w').toString('base64') } },
  })
  assert.equal(statSync(file()).mode & 0o777, 0o600)
  assert.equal(await eraseCredentials('r.example.org', context()), true)
  assert.equal(await eraseCredentials('r.example.org', context()), false)
  assert.deepEqual(config()['auths'], { other: { auth: 'YTpi' } })
})

test('a token stands in place of a password', async () => {
  await storeCredentials('r.example.org', { ...credentials, identityToken: 'secret' }, context())
  assert.deepEqual(await storedCredentials('r.example.org', context()), { identitytoken: 'secret' })
})

test('a helper that the file names keeps the secrets, and the file has none', async () => {
  const kept = join(directory, 'kept')
  const helper = join(directory, 'docker-credential-test')
  const lines = [
    '#!/bin/sh',
    `case $1 in store) cat > ${kept} ;; get) [ -s ${kept} ] && cat ${kept} || { echo credentials not found; exit 1; } ;; erase) rm -f ${kept} ;; esac`,
  ]
  writeFileSync(helper, `${lines.join('\n')}\n`)
  chmodSync(helper, 0o755)
  writeFileSync(file(), JSON.stringify({ credHelpers: { 'r.example.org': 'test' } }))
  const path = process.env['PATH']
  process.env['PATH'] = `${directory}:${path}`
  try {
    assert.equal(await storedCredentials('r.example.org', context()), undefined)
    assert.deepEqual(await storeCredentials('r.example.org', credentials, context()), { helper: 'test' })
    assert.deepEqual(await storedCredentials('r.example.org', context()), { username: 'me', password: 'p:w' })
    assert.ok(!readFileSync(file(), 'utf8').includes(Buffer.from('me:p:w').toString('base64')))
    assert.equal(await eraseCredentials('r.example.org', context()), true)
    assert.equal(await storedCredentials('r.example.org', context()), undefined)
  } finally {
    process.env['PATH'] = path
  }
})

test('a registry has one name, however it is written', () => {
  for (const name of [undefined, 'docker.io', 'https://index.docker.io/v1/'])
    assert.equal(serverKey(name), 'https://index.docker.io/v1/')
  for (const name of ['r.example.org:5000', 'https://r.example.org:5000/v2/', 'http://r.example.org:5000'])
    assert.equal(serverKey(name), 'r.example.org:5000')
})
