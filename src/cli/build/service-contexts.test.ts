import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { BuildSpec } from '#cluster/spec'
import { GloveboxError } from '#base'

import { servicesWithin, withServiceImages } from './service-contexts.ts'

const spec = (additionalContexts: Readonly<Record<string, string>>) => ({ additionalContexts }) as unknown as BuildSpec

test('the image of a service stands in for it, and all else stays', () => {
  const specs = { web: spec({ base: 'service:base', lib: '/srv/lib' }), base: spec({}) }
  assert.deepEqual(servicesWithin(specs.web), ['base'])
  const { additionalContexts } = withServiceImages('web', specs, { web: 'w', base: 'b:1' }) ?? spec({})
  assert.deepEqual(additionalContexts, { base: 'docker-image://b:1', lib: '/srv/lib' })
  assert.equal(withServiceImages('none', specs, {}), undefined)
  assert.throws(() => withServiceImages('web', specs, { web: 'w' }), { code: 'cli.not_found' })
})

test('builds that wait for each other are refused with the way around', () => {
  const specs = { a: spec({ x: 'service:b' }), b: spec({ x: 'service:c' }), c: spec({ x: 'service:b' }) }
  const images = { a: 'a', b: 'b', c: 'c' }
  assert.throws(() => withServiceImages('b', specs, images), /b -> c -> b/)
  assert.ok(withServiceImages('a', specs, images) !== undefined)
  assert.throws(() => withServiceImages('a', { a: spec({ x: 'service:a' }) }, images), /a -> a/)
})

test('however services name each other, it ends with a build or an error of usage', () => {
  const names = ['a', 'b', 'c', 'd']
  const links = fc.record(Object.fromEntries(names.map((name) => [name, fc.subarray(names)])))
  fc.assert(
    fc.property(links, (chosen) => {
      const specs = Object.fromEntries(
        Object.entries(chosen).map(([name, needs]) => [
          name,
          spec(Object.fromEntries((needs ?? []).map((one) => [one, `service:${one}`]))),
        ]),
      )
      for (const name of names)
        try {
          const made = withServiceImages(name, specs, Object.fromEntries(names.map((one) => [one, one])))
          assert.ok(made !== undefined && servicesWithin(made).length === 0)
        } catch (error) {
          assert.ok(error instanceof GloveboxError && error.code === 'cli.usage')
        }
    }),
  )
})
