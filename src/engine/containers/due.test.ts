import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rig } from './test-rig.ts'

const NOW = { signal: null, timeoutS: 0 }
const NEVER = new AbortController().signal

test('what a policy wants started shows as restarting until its turn, and a client that was quicker has its way', async (t) => {
  const { containers, again, spec, clock } = await rig(t)
  const names = ['due', 'stopped', 'started', 'removed', 'later']
  for (const name of names) {
    await containers.create(spec({ restart: { name: 'always', maximumRetryCount: 0 } }), name)
    await containers.start(name)
    const stopping = containers.stop(name, NOW)
    await clock.advance(1)
    await stopping
  }
  const next = await again({ startsDue: false })
  const states = () => Object.fromEntries(next.list().map((record) => [record.name, record.status.state]))
  assert.deepEqual(new Set(Object.values(states())), new Set(['restarting']))
  assert.equal(await next.stop('stopped', NOW), true)
  assert.equal(await next.start('started'), true)
  await assert.rejects(next.remove('removed', { force: false, volumes: false }), { code: 'container.running' })
  await next.remove('removed', { force: true, volumes: false })
  await next.rename('later', 'renamed')
  await next.startDue(NEVER)
  assert.deepEqual(states(), { due: 'running', stopped: 'exited', started: 'running', renamed: 'running' })
})

test('a daemon that ends before their turn leaves them to the next one', async (t) => {
  const { containers, again, spec, clock } = await rig(t)
  await containers.create(spec({ restart: { name: 'always', maximumRetryCount: 0 } }), 'due')
  await containers.start('due')
  const stopping = containers.stop('due', NOW)
  await clock.advance(1)
  await stopping
  const next = await again({ startsDue: false })
  const ended = new AbortController()
  ended.abort()
  await next.startDue(ended.signal)
  assert.equal(next.get('due').status.state, 'restarting')
  assert.equal((await again()).get('due').status.state, 'running')
})
