import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NOT_STARTED } from './create.ts'
import { newLive, settleWaiters } from './live.ts'
import type { ContainerRecord } from './record.ts'
import { waiter } from './waiter.ts'

const liveOne = (state: 'created' | 'restarting') =>
  newLive({ status: { ...NOT_STARTED, state, exitCode: 3 } } as ContainerRecord)

test('a container that does not run need not be waited for', async () => {
  assert.deepEqual(await waiter(liveOne('created'), 'not-running', undefined), { exitCode: 3, error: '' })
})

test('an end is told to those who wait for one, a removal to all', async () => {
  const live = liveOne('restarting')
  const exit = waiter(live, 'next-exit', undefined)
  const removal = waiter(live, 'removed', undefined)
  settleWaiters(live, 'exit')
  assert.deepEqual(await exit, { exitCode: 3, error: '' })
  assert.equal(live.waiters.size, 1)
  settleWaiters(live, 'removed')
  assert.deepEqual(await removal, { exitCode: 3, error: '' })
})

test('who leaves is forgotten, before the wait or during it', async () => {
  const live = liveOne('restarting')
  const leaving = new AbortController()
  const waiting = waiter(live, 'removed', leaving.signal)
  assert.equal(live.waiters.size, 1)
  leaving.abort()
  assert.equal(await waiting, null)
  assert.equal(await waiter(live, 'removed', leaving.signal), null)
  assert.equal(live.waiters.size, 0)
})
