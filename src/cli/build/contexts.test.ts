import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { virtualClock } from '#base'

import { layoutPlace, readContexts } from './contexts.ts'

const read = (places: Readonly<Record<string, string>>) => readContexts(places, { cwd: '/here', clock: virtualClock() })

test('what the daemon finds by itself keeps its words, and directories are sent', () => {
  const named = { a: 'docker-image://x', b: 'target:stage', c: 'https://h/x.git#main', d: 'git@h:x', e: 'github.com/me/x' }
  assert.deepEqual(read(named), { contexts: named, directories: {} })
  const { contexts, directories } = read({ a: '../src', b: '/srv/x', c: 'oci-layout://out:v1' })
  assert.deepEqual(contexts, {})
  const seen = Object.values(directories).map(({ files, layout }) => [files.key.replace(/^[^/]*/, ''), layout])
  assert.deepEqual(seen, [
    ['/src:named', null],
    ['/srv/x:named', null],
    ['/here/out:layout', 'v1'],
  ])
  for (const places of [{ '': 'x' }, { x: '' }]) assert.throws(() => read(places), { code: 'cli.usage' })
})

test('a layout is a directory with a tag, a digest, both or neither', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  assert.deepEqual(layoutPlace('out'), { directory: 'out', reference: '' })
  assert.deepEqual(layoutPlace('/a:b/out:v1.2'), { directory: '/a:b/out', reference: 'v1.2' })
  assert.deepEqual(layoutPlace(`out@${digest}`), { directory: 'out', reference: digest })
  assert.deepEqual(layoutPlace(`out:v1@${digest}`), { directory: 'out', reference: digest })
  assert.deepEqual(layoutPlace(''), { directory: '.', reference: '' })
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z/]{1,20}$/),
      fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
      (directory, tag) => {
        assert.deepEqual(layoutPlace(`${directory}:${tag}`), { directory, reference: tag })
      },
    ),
  )
})
