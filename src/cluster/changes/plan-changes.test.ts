import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { canonical } from '#cluster/model'
import type { RolloutSpec } from '#cluster/spec'

import { serviceSpec, type ServiceChoice } from '../../../test/sim/specs.ts'
import { changePlan } from './change-plan.ts'
import { afterOperations, planChanges } from './plan-changes.ts'
import { NOTHING_SEEN, type Sight } from './sight.ts'
import { NOTHING_WANTED, type Wanted, type WantedService } from './wanted.ts'

function service(choice: ServiceChoice, more: Partial<WantedService> = {}): WantedService {
  const plain = { imageId: 'sha256:a', forced: 0, networks: { default: 'shop_default' }, volumes: {}, secretVersions: {} }
  return { ...plain, spec: serviceSpec(choice), state: 'active', ...more }
}

function wanted(services: readonly WantedService[], more: Partial<Wanted> = {}): Wanted {
  return { ...NOTHING_WANTED, ...more, service: Object.fromEntries(services.map((one) => [`shop_${one.spec.name}`, one])) }
}

const seen = (runningTasks: number, startMs: number | null = null): Sight => ({
  ...NOTHING_SEEN,
  services: { shop_web: { runningTasks, desiredTasks: runningTasks, startMs } },
})

const name = fc.constantFrom('web', 'db', 'cache')
const choice: fc.Arbitrary<ServiceChoice> = fc.record(
  {
    name,
    image: fc.constantFrom('good:1', 'good:2'),
    replicas: fc.nat(3),
    hasVolume: fc.boolean(),
    update: fc.record({
      strategy: fc.constantFrom<RolloutSpec['strategy']>('rolling', 'blue-green'),
      order: fc.constantFrom<RolloutSpec['order']>('auto', 'start-first', 'stop-first'),
      parallelism: fc.nat(2),
    }),
  },
  { requiredKeys: ['name'] },
)
const someService = fc
  .tuple(
    choice,
    fc.constantFrom('sha256:a', 'sha256:b', null),
    fc.nat(1),
    fc.constantFrom<'active' | 'paused'>('active', 'paused'),
  )
  .map(([chosen, imageId, forced, state]) => service(chosen, { imageId, forced, state }))
const part = fc.record({ key: name, name, isExternal: fc.boolean(), labels: fc.dictionary(name, name) })
const someWanted: fc.Arbitrary<Wanted> = fc
  .tuple(
    fc.uniqueArray(someService, { selector: ({ spec }) => spec.name }),
    fc.dictionary(name, part),
    fc.dictionary(
      name,
      part.map((one) => ({ ...one, driverOptions: {} })),
    ),
  )
  .map(([services, secret, volume]) => wanted(services, { secret, volume }))
const someSight: fc.Arbitrary<Sight> = fc.record({
  removesVolumes: fc.boolean(),
  services: fc.dictionary(
    fc.constantFrom('shop_web', 'shop_db'),
    fc.record({ runningTasks: fc.nat(4), desiredTasks: fc.nat(4), startMs: fc.option(fc.nat(60_000)) }),
  ),
})

describe('the plan of a change', () => {
  it('makes of what was wanted what is wanted, whatever both are', () => {
    fc.assert(
      fc.property(someWanted, someWanted, someSight, (before, after, sight) => {
        const operations = planChanges(before, after, sight)
        assert.equal(canonical(afterOperations(before, operations)), canonical(after))
      }),
    )
  })

  it('is empty exactly when nothing changes', () => {
    fc.assert(
      fc.property(someWanted, someWanted, someSight, (before, after, sight) => {
        assert.deepEqual(planChanges(before, before, sight), [])
        assert.equal(planChanges(before, after, sight).length === 0, canonical(before) === canonical(after))
      }),
    )
  })

  it('never speaks of more tasks than there are, and of no outage where new tasks come first', () => {
    fc.assert(
      fc.property(someWanted, someWanted, someSight, (before, after, sight) => {
        for (const { effect, kind } of planChanges(before, after, sight)) {
          assert.ok(kind === 'service' || effect === null)
          if (effect === null) continue
          assert.ok(effect.tasks.replaced <= effect.tasks.before)
          if (effect.order === 'start-first') assert.equal(effect.outage, null)
          if (effect.outage !== null) assert.ok(effect.outage.tasks > 0 && effect.outage.tasks <= effect.outage.of)
        }
      }),
    )
  })

  it('has the name of what changes, and not of how long it takes', () => {
    const [one, two] = [wanted([service({ name: 'web' })]), wanted([service({ name: 'web', image: 'good:2' })])]
    const ids = [seen(1, 10), seen(1, 9000)].map((sight) => changePlan(planChanges(one, two, sight)).id)
    assert.equal(ids[0], ids[1])
    assert.notEqual(ids[0], changePlan(planChanges(two, one, seen(1))).id)
  })
})

describe('a service that one task at a time writes for', () => {
  it('is away while it is replaced: for its grace to stop and the time that it took to start last', () => {
    const db = service({ name: 'web', hasVolume: true })
    const newer = { ...db, imageId: 'sha256:b' }
    const [change] = planChanges(wanted([db]), wanted([newer]), seen(1, 2500))
    assert.deepEqual(change?.effect?.outage, { tasks: 1, of: 1, aboutMs: 12_500 })
    assert.equal(change?.effect?.orderReason, 'one task at a time writes to the volume web-data')
    const [unseen] = planChanges(wanted([db]), wanted([newer]), seen(1))
    assert.equal(unseen?.effect?.outage?.aboutMs, 11_500)
  })
})

describe('what is shown of an operation', () => {
  it('is a scaling when nothing but the number of tasks changes', () => {
    const [one, three] = [service({ name: 'web', replicas: 1 }), service({ name: 'web', replicas: 3 })]
    const [scale] = planChanges(wanted([one]), wanted([three]), seen(1))
    assert.equal(scale?.action, 'scale')
    assert.deepEqual(scale?.effect?.tasks, { before: 1, replaced: 0, after: 3 })
  })

  it('says that data goes only for volumes that are to be removed and are our own', () => {
    const volume = { key: 'data', name: 'data', isExternal: false, driverOptions: {}, labels: {} }
    const before = wanted([], { volume: { data: volume, theirs: { ...volume, name: 'theirs', isExternal: true } } })
    const deleted = (removesVolumes: boolean) =>
      planChanges(before, NOTHING_WANTED, { ...NOTHING_SEEN, removesVolumes })
        .filter(({ deletesData }) => deletesData)
        .map((one) => one.name)
    assert.deepEqual(deleted(false), [])
    assert.deepEqual(deleted(true), ['data'])
  })

  it('puts what goes behind what comes, the last thing made first', () => {
    const network = { key: 'n', name: 'n', isExternal: false, isInternal: false, subnets: [], labels: {} }
    const before = wanted([service({ name: 'web' })], { network: { n: network } })
    const after = wanted([service({ name: 'db' })])
    const lines = planChanges(before, after, NOTHING_SEEN).map(({ action, kind, name: named }) => `${action} ${kind} ${named}`)
    assert.deepEqual(lines, ['create service shop_db', 'remove service shop_web', 'remove network n'])
  })
})
