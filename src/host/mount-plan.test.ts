import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { fsconfigSteps, optionString, planErofs, planOverlay } from './mount-plan.ts'

test('a usual overlay is one option string, topmost layer first', () => {
  const plan = planOverlay({ lowers: ['/top', '/bottom'], upper: '/u', work: '/w', target: '/t', volatile: true })
  assert.equal(
    optionString(plan),
    'lowerdir=/top:/bottom,upperdir=/u,workdir=/w,index=off,redirect_dir=nofollow,metacopy=off,volatile',
  )
  assert.equal(plan.isReadOnly, false)
})

test('an EROFS image lists its blobs in order', () => {
  assert.equal(optionString(planErofs({ index: '/i', devices: ['/a', '/b'], target: '/t' })), 'device=/a,device=/b')
})

test('whatever the paths are, the string carries them without being mistaken or too long, or is not used', () => {
  const path = fc.string({ unit: fc.constantFrom('a', ',', ':', '\\', '/'), minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 200 }), (lowers) => {
      const text = optionString(planOverlay({ lowers, target: '/t' }))
      if (text === undefined) return
      assert.ok(Buffer.byteLength(text) <= 4095)
      assert.deepEqual(/^lowerdir=([^,]*),/.exec(text)?.[1]?.split(':'), lowers)
    }),
  )
})

test('step by step, every path fits one call and keeps its place', () => {
  const path = fc.string({ unit: fc.constantFrom('a', ',', ':', '\\', '/', 'é'), minLength: 1, maxLength: 400 })
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 20 }), (lowers) => {
      const aliases = new Map<string, string>()
      const alias = (long: string) => {
        const short = `/proc/self/fd/${aliases.size}`
        aliases.set(short, long)
        return short
      }
      const steps = fsconfigSteps(planOverlay({ lowers, upper: '/u', work: '/w', target: '/t' }), alias)
      const values = steps.filter(({ key }) => key === 'lowerdir+').map(({ value = '' }) => value)
      assert.ok(values.every((value) => Buffer.byteLength(value) <= 255))
      assert.deepEqual(
        values.map((value) => aliases.get(value) ?? value),
        lowers,
      )
    }),
  )
})
