import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryRecords, systemRandom, virtualClock } from '#base'

import { openAccounts } from './accounts.ts'
import { allowedActions, EVERYTHING, readGrant } from './grants.ts'
import { createTokens } from './tokens.ts'

const OPEN = { isOpenWithoutUsers: true }

test('grants add up, and patterns stay within a part of the name', () => {
  const grants = [readGrant('team/*:pull'), readGrant('team/web:push'), readGrant('deep/**')]
  assert.deepEqual([...allowedActions(grants, 'team/web')], ['pull', 'push'])
  assert.deepEqual([...allowedActions(grants, 'team/web/more')], [])
  assert.deepEqual([...allowedActions(grants, 'deep/a/b')], ['pull', 'push', 'delete'])
})

test('a grant that cannot be read is refused with what to write', () => {
  for (const text of ['', ':pull', 'a:fetch', '[:pull'])
    assert.throws(() => readGrant(text), { code: 'repository.user_invalid', hint: /team\/\*\*:pull,push/ }, text)
})

test('users have their password and no other, over a restart', async () => {
  const records = memoryRecords()
  const accounts = openAccounts(records, systemRandom(), OPEN)
  assert.deepEqual([accounts.isOpen, accounts.anybody()], [true, EVERYTHING])
  await accounts.put('ann', 'correct horse', [readGrant('**:pull')])
  for (const open of [accounts, openAccounts(records, systemRandom(), OPEN)]) {
    assert.equal((await open.check('ann', 'correct horse'))?.name, 'ann')
    assert.equal((await open.check('ann', 'correct horse'))?.name, 'ann')
    assert.equal(await open.check('ann', 'wrong horse'), undefined)
    assert.equal(await open.check('bob', 'correct horse'), undefined)
    assert.deepEqual([open.isOpen, open.anybody()], [false, []])
  }
  await accounts.put('ann', 'another horse', [])
  assert.equal(await accounts.check('ann', 'correct horse'), undefined)
  accounts.remove('ann')
  assert.equal(await accounts.check('ann', 'another horse'), undefined)
  assert.throws(() => accounts.remove('ann'), { code: 'repository.user_unknown' })
})

test('weak and odd users are refused', async () => {
  const accounts = openAccounts(memoryRecords(), systemRandom(), OPEN)
  await assert.rejects(accounts.put('*', 'long enough', []), { code: 'repository.user_invalid' })
  await assert.rejects(accounts.put('ann', 'short', []), { code: 'repository.user_invalid', message: /5 characters/ })
})

test('a token is good until it runs out, and no other is', async () => {
  const clock = virtualClock(1_700_000_000_000)
  const tokens = createTokens(memoryRecords(), systemRandom(), clock)
  const token = { user: 'ann', access: [{ name: 'a', actions: ['pull'] as const }], isCatalogAllowed: false }
  const { text, expiresInS } = tokens.issue(token)
  assert.equal(tokens.read(text)?.user, 'ann')
  assert.equal(createTokens(memoryRecords(), systemRandom(), clock).read(text), undefined)
  for (const forged of ['', '.', 'e30.', `${text}x`, `x${text}`, `${text}.x`])
    assert.equal(tokens.read(forged), undefined, forged)
  await clock.advance((expiresInS + 1) * 1000)
  assert.equal(tokens.read(text), undefined)
})

test('a registry that others reach is closed until there is a user', () => {
  const accounts = openAccounts(memoryRecords(), systemRandom(), { isOpenWithoutUsers: false })
  assert.deepEqual([accounts.isOpen, accounts.anybody()], [false, []])
})
