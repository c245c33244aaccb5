import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { ChangePlan, Operation } from '#api/glovebox'
import { GloveboxError } from '#base'
import type { Client } from '#client'

import { painter } from '../output/colour.ts'
import { deployWish, rolloutOf } from './deploy-flags.ts'
import { fieldLines, fieldName, fieldSummary, valueText } from './field-text.ts'
import { eventText } from './history-page.ts'
import { kindOfName } from './kind-of-name.ts'
import { planDetails, planTable } from './plan-page.ts'
import { filtered, hasLabel } from './row-filters.ts'

const plain = painter(false)

const change: Operation = {
  kind: 'service',
  name: 'shop_db',
  action: 'change',
  fields: [
    { path: ['spec', 'task', 'image'], before: 'db:1', after: 'db:2' },
    { path: ['spec', 'task', 'environment', 'A'], after: '1' },
  ],
  effect: {
    tasks: { before: 1, replaced: 1, after: 1 },
    strategy: 'rolling',
    order: 'stop-first',
    orderReason: 'one task at a time writes to the volume data',
    outage: { tasks: 1, of: 1, aboutMs: 12_400 },
    note: '',
  },
  deletesData: false,
}
const removal: Operation = {
  kind: 'volume',
  name: 'shop_data',
  action: 'remove',
  fields: [{ path: [], before: {} }],
  effect: null,
  deletesData: true,
}
const plan: ChangePlan = { id: 'x', operations: [change, removal], warnings: ['odd'] }
const titles = (name: string) => name.replace('_', '/')

describe('a plan', () => {
  it('is a line for each operation, and what one has to know below', () => {
    assert.equal(
      planTable(plan, titles, plain),
      `WHAT               OPERATION   FROM → TO                          HOW                                UNAVAILABLE
shop/db            change      image db:1 → db:2, environment.A   rolling, stop-first, 1 task anew   all of it, up to about 12 s
volume shop_data   remove      its data goes
note: shop/db: the old task stops before the new one starts, for one task at a time writes to the volume data
note: volume shop_data: what is on it is deleted
note: odd
`,
    )
  })

  it('is told field by field in a diff', () => {
    assert.equal(
      planDetails({ ...plan, operations: [change] }, titles, plain),
      `~ service shop/db  (rolling, stop-first, 1 task anew; unavailable: all of it, up to about 12 s)
    image          db:1 → db:2
    environment.A  nothing → 1
`,
    )
  })
})

describe('a field', () => {
  it('has the name that people know, and its value the unit of its name', () => {
    assert.equal(fieldName(['spec', 'task', 'environment', 'A']), 'environment.A')
    assert.equal(fieldName(['secretVersions', 'secret/pw']), 'version of secret pw')
    assert.equal(valueText(90_000, 'delayMs'), '1 min 30 s')
    assert.equal(valueText(`sha256:${'a'.repeat(64)}`), `sha256:${'a'.repeat(12)}`)
    assert.deepEqual([valueText(''), valueText(null), valueText(undefined)], ['""', 'none', 'nothing'])
    assert.equal(valueText('a\u001b[2Jb'), 'a\\x1b[2Jb')
  })

  it('of a list is what leaves it and what comes to it', () => {
    const lists = [{ path: ['spec', 'ports'], before: [1, 2], after: [2, 3] }]
    assert.deepEqual(fieldLines(lists, plain), [['ports', '- 1\n+ 3']])
    assert.deepEqual(fieldLines([{ path: ['x'], before: [1, 2], after: [2, 1] }], plain), [['x', 'in another order']])
    assert.equal(fieldSummary(lists), 'ports')
  })
})

describe('what happened', () => {
  it('is a line each', () => {
    const fields = change.fields
    const changed = { type: 'changed', fromRevision: 1, revision: 2, fields, omittedFields: 0, isForced: false } as const
    assert.equal(eventText({ ...changed, strategy: 'canary' }), 'revision 1 → 2: image db:1 → db:2, environment.A (canary)')
    const ended = { type: 'rollout-ended', fromRevision: 1, revision: 2, tookMs: 12_000, reason: 'all of it' } as const
    assert.equal(eventText({ ...ended, outcome: 'completed' }), 'rollout of revision 2 completed after 12 s')
    assert.equal(eventText({ ...ended, outcome: 'rolled-back' }), 'back at revision 2 after 12 s: all of it')
    const restarted = { type: 'task-restarted', place: 'slot 2', reason: 'ended with exit code 1' } as const
    assert.match(eventText({ ...restarted, failures: 7 }), /slot 2 started again \(7 times in a row\): ended with exit code 1/)
  })
})

describe('the flags of a deploy', () => {
  const none = { 'env-rm': [], env: [], force: false, 'promote-by-hand': false } as never as Parameters<typeof deployWish>[0]

  it('say what becomes another, and nothing of what was not said', () => {
    assert.deepEqual(deployWish(none, {}), {})
    const wish = deployWish(
      { ...none, env: ['A=b=c', 'HOME'], 'env-rm': ['OLD'], replicas: 3, strategy: 'blue-green' },
      { HOME: '/root' },
    )
    assert.deepEqual(wish, {
      replicas: 3,
      environment: { OLD: null, A: 'b=c', HOME: '/root' },
      rollout: { strategy: 'blue-green' },
    })
    assert.throws(() => deployWish({ ...none, env: ['NOSUCH'] }, {}), /there is no such variable here/)
  })

  it('make a canary of its steps', () => {
    const { canary, strategy } = rolloutOf({ ...none, 'canary-steps': '10%:1m, 50:30s', 'promote-by-hand': true })
    assert.equal(strategy, 'canary')
    assert.deepEqual(
      [canary?.steps, canary?.isPromotedByHand],
      [
        [
          { weightPercent: 10, holdMs: 60_000 },
          { weightPercent: 50, holdMs: 30_000 },
        ],
        true,
      ],
    )
    assert.throws(() => rolloutOf({ ...none, 'canary-steps': 'x' }), /"x" is not PERCENT:TIME/)
    assert.throws(() => rolloutOf({ ...none, 'promote-by-hand': true, strategy: 'rolling' }), /belong to --strategy canary/)
  })
})

describe('a word for two kinds', () => {
  const missing = () => Promise.reject(new GloveboxError('x', 'not_found', 'no such'))
  const clientOf = (container: string | undefined, service: string | undefined) =>
    ({
      containers: { inspect: async () => (container === undefined ? await missing() : { Id: 'abcdef', Name: `/${container}` }) },
      services: {
        get: async () => (service === undefined ? await missing() : { service: { id: 'abc123', name: service, title: service } }),
      },
    }) as unknown as Client

  it('goes by the name, before it goes by the beginning of an id', async () => {
    assert.equal(await kindOfName('web', 'pause', clientOf('web', undefined)), 'container')
    assert.equal(await kindOfName('web', 'pause', clientOf(undefined, 'web')), 'service')
    assert.equal(await kindOfName('abc', 'pause', clientOf('abc', 'other')), 'container')
    assert.equal(await kindOfName('shop/web', 'pause', clientOf('web', undefined)), 'service')
    assert.equal(await kindOfName('nosuch', 'pause', clientOf(undefined, undefined)), 'container')
  })

  it('is refused for a name of both, with the words that say which', async () => {
    await assert.rejects(kindOfName('web', 'pause', clientOf('web', 'web')), /web is the name of a container and of a service/)
    await assert.rejects(kindOfName('abc', 'pause', clientOf('x', 'y')), /container and of a service/)
  })
})

describe('a filter', () => {
  const rows = [
    { name: 'a', labels: { x: '1' } },
    { name: 'b', labels: {} },
  ]
  const fields = {
    name: (row: { name: string }, value: string) => row.name === value,
    label: (row: { labels: Record<string, string> }, value: string) => hasLabel(row.labels, value),
  }

  it('takes any of the values of one name, and all of the names', () => {
    assert.equal(filtered(rows, ['name=a', 'name=b'], fields).length, 2)
    assert.equal(filtered(rows, ['name=a', 'label=x=2'], fields).length, 0)
    assert.equal(filtered(rows, ['label=x'], fields).length, 1)
    assert.throws(() => filtered(rows, ['colour=red'], fields), /there is no such filter/)
  })
})
