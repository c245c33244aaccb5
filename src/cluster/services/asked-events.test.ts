import assert from 'node:assert/strict'
import { it } from 'node:test'

import type { RevisionRecord } from '#cluster/model'

import { wishFor } from '../../../test/sim/specs.ts'
import { askedEvents, updatedEvents } from './asked-events.ts'
import { abortedService, createdService, rolledBackService, scaledService, updatedService } from './wanted-service.ts'

const first = wishFor({ name: 'web', replicas: 2 })
const made = createdService('id', first, 100)
const revisions: readonly RevisionRecord[] = made.revision === null ? [] : [made.revision]

it('a change stands in the history with its fields, compared with what the service was scaled to', () => {
  const scaled = scaledService(made.service, 'replicated', 5, 200)
  const wish = wishFor({ name: 'web', replicas: 5, image: 'good:2' })
  const events = updatedEvents(scaled, revisions, updatedService(scaled, revisions, wish, 300))
  const [changed] = events
  assert.ok(changed?.type === 'changed' && events.length === 1 && changed.strategy === 'rolling')
  assert.deepEqual(
    changed.fields.map(({ path }) => path.join('.')),
    ['imageId', 'spec.task.image'],
  )
  // The file says by now what it was scaled to: a revision in which nothing is another.
  const same = updatedService(scaled, revisions, { ...first, spec: { ...first.spec, replicas: 5 } }, 300)
  const [said] = updatedEvents(scaled, revisions, same)
  assert.ok(said?.type === 'changed' && said.fields.length === 0 && said.strategy === null)
  assert.deepEqual(updatedEvents(made.service, revisions, updatedService(made.service, revisions, first, 300)), [])
})

it('a rollout whose place another one takes has its end told, also one that stood still', () => {
  const one = updatedService(made.service, revisions, wishFor({ name: 'web', replicas: 2, image: 'good:2' }), 300)
  const all = [...revisions, ...(one.revision === null ? [] : [one.revision])]
  for (const state of ['running', 'paused'] as const) {
    const before = { ...one.service, rollout: one.service.rollout === null ? null : { ...one.service.rollout, state } }
    const two = updatedService(before, all, wishFor({ name: 'web', replicas: 2, image: 'good:3' }), 900)
    const [ended, changed] = updatedEvents(before, all, two)
    assert.ok(ended?.type === 'rollout-ended' && ended.outcome === 'superseded' && ended.tookMs === 600)
    assert.equal(changed?.type, 'changed')
  }
  const aborted = abortedService(one.service, 900)
  assert.deepEqual(
    askedEvents('abort', one.service, aborted).map(({ type }) => type),
    ['aborted'],
  )
  assert.deepEqual(askedEvents('rollback', one.service, rolledBackService(one.service, all, 'ann', 900)), [
    { type: 'rollback', fromRevision: 2, revision: 1 },
  ])
  assert.deepEqual(askedEvents('scale', made.service, made.service), [])
})
