import assert from 'node:assert/strict'
import { test } from 'node:test'

import { virtualClock } from '#base'

import { createPlugs } from './plugs.ts'

async function isOpen(open: Promise<void>): Promise<boolean> {
  return await Promise.race([open.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))])
}

test('names are answered at once where nobody says what services there are', async () => {
  assert.equal(await isOpen(createPlugs(virtualClock(), false).namesOpen), true)
})

test('names wait for who knows the services, and no longer than resolvers do', async () => {
  const known = createPlugs(virtualClock(), true)
  assert.equal(await isOpen(known.namesOpen), false)
  known.openNames()
  assert.equal(await isOpen(known.namesOpen), true)
  const clock = virtualClock()
  const silent = createPlugs(clock, true)
  await clock.advance(1999)
  assert.equal(await isOpen(silent.namesOpen), false)
  await clock.advance(1)
  assert.equal(await isOpen(silent.namesOpen), true)
})
