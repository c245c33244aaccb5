import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { canonicalText, familiarText, parseReference, withDefaultTag, type ImageReference } from './index.ts'

const SHA256 = `sha256:${'a'.repeat(64)}`

test('familiar names mean the default registry', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['debian', 'docker.io/library/debian'],
    ['debian:bookworm', 'docker.io/library/debian:bookworm'],
    ['grafana/loki:3', 'docker.io/grafana/loki:3'],
    ['index.docker.io/debian', 'docker.io/library/debian'],
    ['docker.io/debian', 'docker.io/library/debian'],
    ['localhost/web', 'localhost/web'],
    ['localhost:5000/web:1', 'localhost:5000/web:1'],
    ['registry.example.org/team/web', 'registry.example.org/team/web'],
    ['[2001:db8::1]:5000/web', '[2001:db8::1]:5000/web'],
    ['UPPER/web', 'UPPER/web'],
    [`debian:bookworm@${SHA256}`, `docker.io/library/debian:bookworm@${SHA256}`],
  ]
  for (const [text, canonical] of cases) assert.equal(canonicalText(parseReference(text)), canonical, text)
})

test('a name without tag and digest means latest, one with a digest does not', () => {
  assert.equal(familiarText(withDefaultTag(parseReference('debian'))), 'debian:latest')
  assert.equal(familiarText(withDefaultTag(parseReference(`debian@${SHA256}`))), `debian@${SHA256}`)
})

test('hostile and malformed names are refused', () => {
  const refused = [
    '',
    ' debian',
    'Debian',
    'a/../b',
    '../etc/passwd',
    '/debian',
    'debian/',
    'a//b',
    'a/.hidden',
    'a%2fb',
    'a/b%2f..',
    'a\0b',
    'a\nb',
    'debian:',
    'debian:a/b',
    'debian:.x',
    `debian:${'t'.repeat(129)}`,
    'debian@sha256:../../x',
    `debian@SHA256:${'a'.repeat(64)}`,
    `debian@sha256:${'A'.repeat(64)}`,
    `debian@md5:${'a'.repeat(32)}`,
    `debian@sha512:${'a'.repeat(64)}`,
    `debian@sha256:${'a'.repeat(64)}@sha256:${'a'.repeat(64)}`,
    'a'.repeat(64),
    'x'.repeat(10_000),
    `${'a/'.repeat(150)}b`,
    'a___b',
    'a..b',
    '-a',
    'a.example.org:99999999/x',
    'http://example.org/x',
  ]
  for (const text of refused) assert.throws(() => parseReference(text), { code: 'reference.invalid' }, JSON.stringify(text))
})

const word = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const part = fc.tuple(word, fc.constantFrom('.', '_', '__', '-', '--'), word).map((parts) => parts.join(''))
const path = fc.array(fc.oneof(word, part), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const reference: fc.Arbitrary<ImageReference> = fc
  .record(
    {
      registry: fc.constantFrom('docker.io', 'localhost', 'localhost:5000', 'r.example.org', '[::1]:80'),
      path,
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)),
      digest: fc.option(fc.constantFrom(SHA256, `sha512:${'0'.repeat(128)}`)),
    },
    { noNullPrototype: true },
  )
  .map((made) => (made.registry === 'docker.io' && !made.path.includes('/') ? { ...made, path: `library/${made.path}` } : made))

test('every reference reads back from its canonical and from its familiar form', () => {
  fc.assert(
    fc.property(reference, (made) => {
      assert.deepEqual(parseReference(canonicalText(made)), made)
      assert.deepEqual(parseReference(familiarText(made)), made)
    }),
  )
})

test('any text is either refused or reads back to itself', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z.:/@[\]A-Z0-9_-]{0,40}$/)), (text) => {
      let parsed: ImageReference
      try {
        parsed = parseReference(text)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'reference.invalid')
        return
      }
      assert.deepEqual(parseReference(familiarText(parsed)), parsed)
      assert.ok(!canonicalText(parsed).split('/').includes('..'))
    }),
  )
})
