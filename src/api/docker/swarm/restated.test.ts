import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { canonical } from '#cluster/model'

import { restated } from './restated.ts'
import { serviceWish, type WishSurroundings } from './service-wish.ts'

const around: WishSurroundings = { networkName: (ref) => ref, secretName: (_kind, id) => id, freePort: () => 30_000 }

const said = fc.record(
  {
    Name: fc.constant('web'),
    TaskTemplate: fc.record({ ContainerSpec: fc.record({ Image: fc.constant('busybox'), Env: fc.constant(['A=1']) }) }),
    Mode: fc.constantFrom({ Replicated: { Replicas: 2 } }, { Global: {} }),
    UpdateConfig: fc.constantFrom({ Parallelism: 2, Order: 'start-first' }, { Monitor: 1_000_000 }),
  },
  { requiredKeys: ['Name', 'TaskTemplate'] },
)

test('what is said anew means what the service was changed to, and no more', () => {
  const change = fc.record({
    image: fc.constantFrom('busybox', 'app:2'),
    environment: fc.dictionary(fc.constantFrom('A', 'B'), fc.string()),
    replicas: fc.nat(5),
    parallelism: fc.nat(3),
    delayMs: fc.nat(5000),
  })
  fc.assert(
    fc.property(said, change, (json, { image, environment, replicas, parallelism, delayMs }) => {
      const { spec } = serviceWish(json, around)
      const changed = {
        ...spec,
        replicas: spec.mode === 'replicated' ? replicas : spec.replicas,
        task: { ...spec.task, image, environment },
        update: { ...spec.update, parallelism, delayMs },
      }
      const again = serviceWish(restated(json, { spec: changed, forced: 3 }), around)
      assert.equal(canonical(again.spec), canonical(changed))
      assert.equal(again.forced, 3)
    }),
  )
})
