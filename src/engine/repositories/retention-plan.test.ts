import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { memoryRecords, type Digest } from '#base'

import type { ManifestRow, RepositoryRows } from './catalog.ts'
import { BLOB_GRACE_MS } from './limits.ts'
import type { RetentionRule } from './port.ts'
import { checkRule, planRetention } from './retention-plan.ts'
import { openRules, readRule } from './rules.ts'

const NOW_MS = 10 * BLOB_GRACE_MS

const age = fc.integer({ min: 0, max: NOW_MS })
const index = fc.integer({ min: 0, max: 5 })
const name = (kind: string) => index.map((number) => `${kind}${number}`)

const manifest = fc.record({
  atMs: age,
  blobs: fc.array(name('blob'), { maxLength: 3 }),
  manifests: fc.array(name('manifest'), { maxLength: 2 }),
  subject: fc.option(name('manifest')),
})

const repository = fc
  .record({
    tags: fc.dictionary(name('tag'), fc.record({ digest: name('manifest'), atMs: age })),
    manifests: fc.dictionary(name('manifest'), manifest),
    blobs: fc.dictionary(name('blob'), age),
  })
  .map(({ tags, manifests, blobs }): RepositoryRows => {
    const row = { stored: '' as Digest, mediaType: '', sizeBytes: 1, artifactType: '', annotations: {} }
    return {
      tags: new Map(Object.entries(tags)),
      manifests: new Map(Object.entries(manifests).map(([key, found]): [string, ManifestRow] => [key, { ...row, ...found }])),
      blobs: new Map(Object.entries(blobs).map(([key, atMs]) => [key, { stored: '' as Digest, sizeBytes: 1, atMs }])),
    }
  })

const rule: fc.Arbitrary<RetentionRule> = fc.record(
  {
    repositories: fc.constantFrom('team/*', '**', 'other'),
    keepLast: index,
    keepTags: fc.array(name('tag'), { maxLength: 2 }),
    keepYoungerMs: age,
    untaggedAfterMs: age,
  },
  { requiredKeys: ['repositories'] },
)

function carriedOut(rows: RepositoryRows, rules: readonly RetentionRule[]): RepositoryRows {
  const left = { tags: new Map(rows.tags), manifests: new Map(rows.manifests), blobs: new Map(rows.blobs) }
  for (const { kind, name: key } of planRetention('team/web', rows, rules, NOW_MS).removals) {
    if (kind === 'tag') left.tags.delete(key)
    if (kind === 'manifest') left.manifests.delete(key)
    if (kind === 'blob') left.blobs.delete(key)
  }
  return left
}

test('what a tag that stays reaches, stays', () => {
  fc.assert(
    fc.property(repository, fc.array(rule, { maxLength: 2 }), (rows, rules) => {
      const left = carriedOut(rows, rules)
      for (const { digest } of left.tags.values()) assert.equal(left.manifests.has(digest), rows.manifests.has(digest))
      for (const found of left.manifests.values()) {
        for (const child of found.manifests) assert.equal(left.manifests.has(child), rows.manifests.has(child))
        for (const blob of found.blobs) assert.equal(left.blobs.has(blob), rows.blobs.has(blob))
      }
    }),
  )
})

test('a second collection finds nothing', () => {
  fc.assert(
    fc.property(repository, fc.array(rule, { maxLength: 2 }), (rows, rules) => {
      assert.deepEqual(planRetention('team/web', carriedOut(rows, rules), rules, NOW_MS).removals, [])
    }),
  )
})

test('without a rule tags and manifests stay, and young blobs do', () => {
  fc.assert(
    fc.property(repository, (rows) => {
      const left = carriedOut(rows, [])
      assert.deepEqual([left.tags, left.manifests], [rows.tags, rows.manifests])
      for (const [key, { atMs }] of rows.blobs) if (NOW_MS - atMs < BLOB_GRACE_MS) assert.ok(left.blobs.has(key))
    }),
  )
})

test('a rule with a broken pattern is refused', () => {
  assert.throws(() => checkRule({ repositories: '[' }), { code: 'repository.rule_invalid' })
  assert.throws(() => checkRule({ repositories: '**', keepLast: -1 }), { code: 'repository.rule_invalid', message: /-1/ })
})

test('rules are read as people write them, and kept', () => {
  const rule = readRule('team/**,keep-last=10,keep-younger=30d,keep-tag=v*,keep-tag=stable,untagged=12h')
  assert.deepEqual(rule, {
    repositories: 'team/**',
    keepLast: 10,
    keepYoungerMs: 30 * 86_400_000,
    keepTags: ['v*', 'stable'],
    untaggedAfterMs: 12 * 3_600_000,
  })
  for (const text of ['', 'a,keep-last=x', 'a,keep=1', 'a,untagged=soon', '['])
    assert.throws(() => readRule(text), { code: 'repository.rule_invalid' }, text)
  const records = memoryRecords()
  assert.equal(openRules(records).get().length, 1)
  openRules(records).set([rule])
  assert.deepEqual(openRules(records).get(), [rule])
})
