import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fail, silentLog, virtualClock } from '#base'

import { imagePulls } from './image-pulls.ts'

function fixture() {
  const clock = virtualClock()
  const asked: (string | undefined)[] = []
  const registry = { error: undefined as Error | undefined, gate: Promise.resolve() }
  const pulls = imagePulls(
    {
      pull: async function* ({ credentials }) {
        asked.push(credentials?.['username'])
        yield { type: 'status', text: 'asked' }
        await registry.gate
        if (registry.error !== undefined) throw registry.error
      },
    },
    clock,
    silentLog(),
  )
  return { clock, asked, registry, pulls }
}

test('an image is pulled once for all who want it', async () => {
  const { asked, pulls } = fixture()
  await Promise.all([pulls.need('a'), pulls.need('a'), pulls.need('a')])
  assert.equal(asked.length, 1)
  assert.equal(pulls.failure('a'), undefined)
})

test('a failure is told, and tried again after a while with the same credentials', async () => {
  const { clock, asked, registry, pulls } = fixture()
  registry.error = fail('operation.cancelled', 'no such repository')
  let ended = 0
  using _listening = pulls.listen(() => void (ended += 1))
  pulls.begin('a', { username: 'me' })
  await assert.rejects(pulls.need('a'), /no such repository/)
  await assert.rejects(pulls.need('a'), /no such repository/)
  assert.deepEqual([asked, pulls.failure('a'), ended], [['me'], 'no such repository', 1])
  registry.error = undefined
  await clock.advance(5000)
  await pulls.need('a')
  assert.deepEqual([asked, pulls.failure('a')], [['me', 'me'], undefined])
})

test('who does not want it any more does not wait, and the others do', async () => {
  const { registry, pulls } = fixture()
  const { promise, resolve } = Promise.withResolvers<void>()
  registry.gate = promise
  const waiting = new AbortController()
  const [one, other] = [pulls.need('a', waiting.signal), pulls.need('a')]
  waiting.abort()
  await assert.rejects(one, /nobody waits/)
  resolve()
  await other
})
