import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { readAttestations } from './attestations.ts'
import { readCacheFrom, readCacheTo } from './caches.ts'
import { readOutputFlag } from './outputs.ts'
import { readSecrets, secretChoice, sshAgents } from './secrets.ts'

test('an output is a directory, a stream, a file or an image', () => {
  const form = { compression: 'gzip', level: null }
  assert.deepEqual(readOutputFlag('out'), { output: { type: 'local' }, dest: 'out', names: [] })
  assert.deepEqual(readOutputFlag('-'), { output: { type: 'tar' }, dest: '-', names: [] })
  assert.deepEqual(readOutputFlag('type=oci,dest=a.tar,compression=zstd,compression-level=3'), {
    output: { type: 'oci', compression: 'zstd', level: 3 },
    dest: 'a.tar',
    names: [],
  })
  assert.deepEqual(readOutputFlag('type=docker').output, { type: 'image', push: 'no', ...form })
  assert.deepEqual(readOutputFlag('type=image,"name=a:1,b:2",push=true'), {
    output: { type: 'image', push: 'tags', ...form },
    dest: null,
    names: ['a:1', 'b:2'],
  })
  assert.deepEqual(readOutputFlag('type=registry').output, { type: 'image', push: 'tags', ...form })
})

test('an output that cannot be is refused by what is wrong with it', () => {
  for (const [word, message] of [
    ['type=local', /needs dest=DIRECTORY/],
    ['type=cacheonly', /type=cacheonly is not supported/],
    ['type=image,dest=x', /type=image has no dest/],
    ['type=oci,tar=false', /"tar" in "type=oci,tar=false" is not supported/],
    ['type=oci,compression-level=x', /"x" is not a number/],
  ] as const)
    assert.throws(() => readOutputFlag(word), message)
})

test('caches are registries and directories of the daemon', () => {
  assert.deepEqual(readCacheFrom('reg/app:cache', '/w'), { type: 'registry', place: 'reg/app:cache' })
  assert.deepEqual(readCacheFrom('type=local,src=c', '/w'), { type: 'local', place: '/w/c' })
  assert.deepEqual(readCacheTo('type=inline', '/w'), { type: 'inline' })
  assert.deepEqual(readCacheTo('type=registry,ref=r/a,mode=max', '/w'), {
    type: 'registry',
    place: 'r/a',
    mode: 'max',
    compression: 'gzip',
    level: null,
  })
  assert.throws(() => readCacheFrom('type=gha', '/w'), /type=gha is not supported/)
  assert.throws(() => readCacheTo('type=local', '/w'), /needs dest=/)
})

test('attestations are asked for in two ways', () => {
  const read = (attest: readonly string[], provenance?: string, sbom?: string) => readAttestations({ attest, provenance, sbom })
  assert.deepEqual(read([]), { provenance: null, sbom: false })
  assert.deepEqual(read(['type=provenance,mode=max', 'type=sbom']), { provenance: 'max', sbom: true })
  assert.deepEqual(read(['type=provenance,mode=max'], 'false', 'true'), { provenance: null, sbom: true })
  assert.deepEqual(read([], 'mode=max'), { provenance: 'max', sbom: false })
  assert.throws(() => read([], 'maybe'), /"maybe" is not supported/)
})

test('a secret comes from a file, from a variable, or from whichever has its name', () => {
  const surroundings = { cwd: '/nowhere', env: { TOKEN: 'abc', OTHER: 'def' } }
  const read = (word: string) => Object.entries(readSecrets([secretChoice(word)], surroundings))
  const text = (value: string) => Buffer.from(value).toString('base64')
  assert.deepEqual(read('id=x,env=TOKEN'), [['x', text('abc')]])
  assert.deepEqual(read('id=OTHER'), [['OTHER', text('def')]])
  assert.deepEqual(read('type=env,id=x,src=TOKEN'), [['x', text('abc')]])
  assert.throws(() => read('id=x,src=gone'), /secret x: ENOENT.*\/nowhere\/gone/)
  assert.throws(() => read('id=x,env=GONE'), /the variable GONE is not set/)
  assert.throws(() => read('id=x,dst=y'), /"dst=y".*is none of/)
})

test('an SSH agent is that of the environment or the one that is named', () => {
  const surroundings = { cwd: '/w', env: { SSH_AUTH_SOCK: '/run/agent' } }
  assert.deepEqual(sshAgents(['default', 'work=sock'], surroundings), { default: '/run/agent', work: '/w/sock' })
  assert.throws(() => sshAgents(['default'], { cwd: '/w', env: {} }), /SSH_AUTH_SOCK is not set/)
})

test('whatever is written behind a flag is read or refused in words', () => {
  const words = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('type=', 'local', 'oci', ',', '"', '=', 'dest=', 'ref=x', 'id=', 'env=A', 'mode=max'))
      .map((all) => all.join('')),
  )
  fc.assert(
    fc.property(words, (word) => {
      for (const read of [
        () => readOutputFlag(word),
        () => readCacheFrom(word, '/w'),
        () => readCacheTo(word, '/w'),
        () => readAttestations({ attest: [word], provenance: undefined, sbom: undefined }),
        () => secretChoice(word),
      ])
        try {
          read()
        } catch (error) {
          assert.ok(error instanceof GloveboxError && error.kind !== 'internal', String(error))
        }
    }),
  )
})
