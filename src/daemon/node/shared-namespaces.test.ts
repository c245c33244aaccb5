import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ContainerRecord } from '#engine/containers'

import { lostPartner, withPartners } from './shared-namespaces.ts'

const container = (id: string, service: string, state: string, networkMode = 'none') =>
  ({
    id,
    name: `shop-${service}-1`,
    spec: {
      labels: { 'io.glovebox.stack': 'shop', 'io.glovebox.service': service },
      network: { mode: networkMode },
      namespaces: { pid: '', ipc: 'private' },
    },
    status: { state, startedAt: '2026-01-01T00:00:10.000000000Z' },
  }) as unknown as ContainerRecord

const LABELS = { 'io.glovebox.stack': 'shop' }

test('names of services and containers become ids of those that run', () => {
  const all = [container('a1', 'web', 'exited'), container('a2', 'web', 'running'), container('b1', 'db', 'running')]
  assert.deepEqual(withPartners({ network: 'service:web', pid: 'container:shop-db-1', uts: 'host' }, LABELS, all), {
    network: 'container:a2',
    pid: 'container:b1',
    uts: 'host',
  })
  assert.throws(() => withPartners({ ipc: 'service:cache' }, LABELS, all), /shares with service cache, and no container/)
  assert.throws(() => withPartners({ ipc: 'service:web' }, {}, all), /no container of it runs here/)
})

test('one whose partner is gone, or began anew after it, has lost it', () => {
  const side = container('s', 'side', 'running', 'container:a2')
  const began = (seconds: number) => () => Date.parse('2026-01-01T00:00:00Z') + seconds * 1000
  assert.equal(lostPartner(side, began(5)), undefined)
  assert.equal(lostPartner(side, began(10)), undefined)
  assert.match(lostPartner(side, began(11)) ?? '', /network it shares has ended/)
  assert.match(lostPartner(side, () => undefined) ?? '', /network it shares has ended/)
  assert.equal(
    lostPartner(container('x', 'x', 'running', 'host'), () => undefined),
    undefined,
  )
})
