import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startRegistry, type RegistryProcess } from '../kernel/registry-process.ts'
import { CASES } from './cases.ts'

/** What Debian's docker-registry 2.8.2 fails: an examination that finds nothing wrong with it would not be one. */
const KNOWN_FAILURES: readonly string[] = [
  'Pulling manifests: a digest that is none is refused',
  'Pushing a blob in chunks: a chunk out of order is 416, and the upload goes on after it',
  'Pushing a blob in chunks: a first chunk that does not begin at 0 is 416',
  'Pushing a blob in chunks: a chunk that comes twice is 416',
  'Pushing manifests: what is no manifest is refused',
  'Listing tags: all tags in their order',
  'Listing tags: n gives so many',
  'Listing tags: the link leads to the rest',
  'Listing tags: last goes on after a tag',
  'Listing tags: last need not be a tag',
  'Listing tags: n of nothing gives nothing',
  'Listing referrers: nothing refers to what nobody pushed',
  'Listing referrers: a digest that is none is 400',
  'Listing referrers: a manifest with a subject is answered with it',
  'Listing referrers: what refers is listed with type and annotations',
  'Listing referrers: without an artifact type the type of the configuration counts',
  'Listing referrers: the list is filtered by type, and says so',
  'Listing referrers: a subject need not be there yet',
  'Listing referrers: an index can refer',
  'Listing referrers: what is deleted refers no more',
  'Deleting: a tag goes, and what it named stays',
]

let registry: RegistryProcess
before(async () => {
  registry = await startRegistry({ canDelete: true })
})
after(async () => await registry.stop())

test('the examination finds what is known to be wrong with another registry, and nothing else', async () => {
  const base = `http://${registry.host}`
  const failed: string[] = []
  for (const [number, { section, title, run }] of CASES.entries())
    await run({ base, name: `exam/case${number}`, other: `exam/other${number}` }).catch(() => failed.push(`${section}: ${title}`))
  assert.deepEqual(failed, KNOWN_FAILURES)
})
