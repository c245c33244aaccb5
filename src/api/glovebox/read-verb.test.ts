import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { canonical } from '#cluster/model'

import { readNodeWish, readVerb } from './read-verb.ts'

const canary = fc.record({
  steps: fc.constant([
    { weightPercent: 10, holdMs: 1000 },
    { weightPercent: 50, holdMs: 0 },
  ]),
  minRequests: fc.nat(),
  maxErrorRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  latencyPercentile: fc.constantFrom(0.5, 0.9),
  maxLatencyRatio: fc.constantFrom(1, 1.5),
  isPromotedByHand: fc.boolean(),
})
const rollout = fc.record(
  {
    strategy: fc.constantFrom('rolling', 'blue-green', 'canary'),
    order: fc.constantFrom('auto', 'start-first', 'stop-first'),
    parallelism: fc.nat(),
    delayMs: fc.nat(86_400_000),
    failureAction: fc.constantFrom('rollback', 'pause', 'continue'),
    maxFailureRatio: fc.constantFrom(0, 0.5, 1),
    canary: fc.option(canary),
  },
  { requiredKeys: [] },
)
const deploy = fc.record(
  {
    verb: fc.constant('deploy'),
    image: fc.string({ minLength: 1 }),
    environment: fc.dictionary(fc.string({ minLength: 1 }), fc.option(fc.string())),
    replicas: fc.nat(),
    rollout,
    isForced: fc.boolean(),
  },
  { requiredKeys: ['verb'] },
)
const verb = fc.oneof(
  deploy,
  fc.record({ verb: fc.constant('scale'), replicas: fc.nat() }),
  fc.record({ verb: fc.constantFrom('pause', 'resume', 'promote', 'abort', 'remove', 'rollback') }),
  fc.record({ verb: fc.constant('rollback'), revision: fc.integer({ min: 1 }) }),
)

const isRefusal = (error: unknown): boolean => error instanceof GloveboxError && error.code === 'api.bad_request'

test('what may be asked of a service is read as it was said', () => {
  fc.assert(fc.property(verb, (body) => assert.equal(canonical(readVerb(body)), canonical(body))))
})

test('anything else is refused as a bad request, and with one field too many it is named', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      for (const read of [readVerb, readNodeWish]) {
        try {
          read(body)
        } catch (error) {
          assert.ok(isRefusal(error))
        }
      }
    }),
  )
  fc.assert(
    fc.property(verb, (body) => {
      assert.throws(() => readVerb({ ...body, surprise: 1 }), /unknown field "surprise"/)
    }),
  )
})

test('what is out of bounds is told with its place', () => {
  const refuses = (body: unknown, message: RegExp) => assert.throws(() => readVerb(body), message)
  refuses({ verb: 'scale', replicas: -1 }, /replicas must be a whole number from 0 on, not -1/)
  refuses({ verb: 'scale', replicas: 1.5 }, /replicas/)
  refuses({ verb: 'deploy', rollout: { strategy: 'yolo' } }, /rollout\.strategy must be one of rolling, blue-green, canary/)
  refuses({ verb: 'deploy', rollout: { maxFailureRatio: 2 } }, /rollout\.maxFailureRatio/)
  refuses({ verb: 'deploy', environment: { A: 1 } }, /environment\.A must be a text or null/)
  refuses({ verb: 'fly' }, /verb must be deploy, rollback/)
  const steps = [
    { weightPercent: 50, holdMs: 1 },
    { weightPercent: 10, holdMs: 1 },
  ]
  const plain = { minRequests: 0, maxErrorRatio: 0, latencyPercentile: 0.5, maxLatencyRatio: 1, isPromotedByHand: false }
  refuses({ verb: 'deploy', rollout: { canary: { ...plain, steps } } }, /steps\[1\]\.weightPercent must be more than 50/)
  assert.throws(() => readNodeWish({ availability: 'off' }), /availability must be one of active, pause, drain/)
})
