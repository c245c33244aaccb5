import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { EnvironmentRecord } from '#cluster/model'
import { readCompose } from '#cluster/spec'

import { planEnvironments } from './plan.ts'
import { applySettings } from './settings.ts'

const HOUR_MS = 3_600_000

const record = (more: Partial<EnvironmentRecord>): EnvironmentRecord => ({
  stack: 'shop--a',
  name: 'a',
  application: 'shop',
  from: 'shop',
  state: 'active',
  settings: [],
  notes: [],
  createdAtMs: 0,
  updatedAtMs: 0,
  expiresAtMs: null,
  announcedMs: null,
  reason: '',
  ...more,
})

test('an end is announced an hour before, or a tenth of the life where that is less', () => {
  const firstStepAt = (lifeMs: number) => {
    const { nextMs, steps } = planEnvironments([record({ expiresAtMs: lifeMs })], 0)
    assert.deepEqual(steps, [])
    const [step] = planEnvironments([record({ expiresAtMs: lifeMs })], nextMs ?? 0).steps
    assert.equal(step?.type, 'announce')
    return nextMs
  }
  assert.equal(firstStepAt(100 * HOUR_MS), 99 * HOUR_MS)
  assert.equal(firstStepAt(HOUR_MS), 0.9 * HOUR_MS)
})

test('in any story each end is announced at most once and carried out once, never early, and what is put off stays', () => {
  const happening = fc.oneof(
    fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, 60_000, HOUR_MS, 30 * HOUR_MS) }),
    fc.record({ type: fc.constant('extend' as const), ms: fc.constantFrom(null, 60_000, 10 * HOUR_MS) }),
    fc.record({ type: fc.constant('sleep' as const), ms: fc.constantFrom(HOUR_MS, 100 * HOUR_MS) }),
  )
  fc.assert(
    fc.property(
      fc.option(fc.constantFrom(60_000, HOUR_MS, 50 * HOUR_MS)),
      fc.array(happening, { maxLength: 30 }),
      (life, story) => {
        let [now, one] = [0, record({ expiresAtMs: life }) as EnvironmentRecord | null]
        const announced: (number | null)[] = []
        let ends = 0
        const look = () => {
          const plan = planEnvironments(one === null ? [] : [one], now)
          for (const step of plan.steps) {
            if (step.type === 'announce') announced.push(step.record.expiresAtMs)
            if (step.type === 'end') {
              ends += 1
              assert.ok(one?.expiresAtMs !== null && one !== null && now >= one.expiresAtMs, 'it ends early')
            }
            one = step.type === 'remove' ? null : step.record
          }
          return plan.nextMs
        }
        for (const step of story) {
          if (step.type === 'extend' && one?.state === 'active')
            one = { ...one, expiresAtMs: step.ms === null ? null : now + step.ms }
          if (step.type === 'sleep') now += step.ms
          if (step.type === 'wait') {
            const untilMs = now + step.ms
            for (let next = look(); next !== null && next <= untilMs && one !== null; next = look()) now = Math.max(now, next)
            now = untilMs
          }
          look()
          look()
          if (one !== null && one.expiresAtMs !== null) assert.ok(now < one.expiresAtMs, 'it is there after its end')
        }
        assert.equal(new Set(announced).size, announced.length, 'an end is announced twice')
        assert.equal(ends, one === null ? 1 : 0)
      },
    ),
    { numRuns: 300 },
  )
})

test('whatever is set is carried out on one service alone, or refused by its name without its value', async () => {
  const { spec } = await readCompose({
    path: 'compose.yaml',
    text: 'services: {web: {image: a}, web.api: {image: b}, db: {image: c}}',
    directory: '/srv',
    environment: {},
    dotEnv: null,
    stackName: 'shop',
    profiles: null,
    readFile: () => null,
  })
  const path = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('web', 'web.api', 'db', 'nobody'),
        fc.constantFrom('image', 'replicas', 'memory', 'cpus', 'suspended', 'environment.A', 'x', ''),
      )
      .map((parts) => parts.join('.')),
    fc.string({ maxLength: 10 }),
  )
  const value = fc.oneof(fc.constantFrom('hush-hush', '3', '64m', '0.5', '', 'true'), fc.string({ maxLength: 5 }))
  fc.assert(
    fc.property(path, value, (where, what) => {
      try {
        const after = applySettings(spec, [`${where}=${what}`])
        const changed = after.services.filter(
          (service, index) => JSON.stringify(service) !== JSON.stringify(spec.services[index]),
        )
        assert.ok(changed.length <= 1)
        if (changed[0] !== undefined) assert.ok(where.startsWith(`${changed[0].name}.`))
      } catch (error) {
        assert.equal((error as { readonly code?: unknown }).code, 'environment.setting_invalid', String(error))
        assert.equal(String(error).includes('hush-hush'), false)
      }
    }),
    { numRuns: 500 },
  )
  assert.equal(applySettings(spec, ['web.api.image=z']).services.find(({ name }) => name === 'web.api')?.task.image, 'z')
})
