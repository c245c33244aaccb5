import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { systemClock, systemRandom } from '#base'
import { createRepositories } from '#engine/repositories'
import { openStore } from '#engine/store'
import { digestOf } from '#oci/digest'

import { run } from '../support/processes.ts'

/** `all`: before every change to the records and at 60 moments, all done again after it; without it some of each. */
const IS_ALL = process.env['GLOVEBOX_REGISTRY_KILLS'] === 'all'
const CHILD = join(import.meta.dirname, 'registry-killed-child.ts')
const SIGKILLED = 128
/** More changes than the child makes. */
const MAX_STEPS = 200

/** Runs the child to its death and looks at what it left; false when it was not killed. */
async function killed(args: readonly string[]): Promise<boolean> {
  const root = mkdtempSync(join(tmpdir(), 'registry-killed-'))
  try {
    const { code, stdout, stderr } = await run(process.execPath, [CHILD, root, ...args])
    assert.ok(code === 0 || code === SIGKILLED, stderr)
    await expectSound(
      root,
      stdout.split('\n').filter((line) => line !== ''),
    )
    if (code === SIGKILLED && IS_ALL) {
      // Whatever it left, the same can be done again.
      const again = await run(process.execPath, [CHILD, root])
      assert.equal(again.code, 0, again.stderr)
    }
    return code === SIGKILLED
  } catch (error) {
    throw new Error(`killed at ${args.join(' ')}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function expectSound(root: string, told: readonly string[]): Promise<void> {
  using store = openStore(join(root, 'state.db'))
  const repositories = createRepositories({ root, records: store, clock: systemClock(), random: systemRandom() })
  await repositories.recover()
  const named = new Set<string>()
  for (const name of repositories.list({ limit: 100 }).names)
    for (const { digest } of repositories.manifests(name)) {
      const { bytes } = await repositories.getManifest(name, digest)
      assert.equal(digestOf(bytes), digest)
      named.add(digest)
      const { config, layers } = JSON.parse(bytes.toString()) as { config: { digest: string }; layers: { digest: string }[] }
      for (const one of [config, ...layers]) {
        assert.equal(digestOf(await readFile(repositories.blobFile(name, one.digest).path)), one.digest, `${name} ${one.digest}`)
      }
    }
  expectAcknowledged(repositories, told)
  await expectUploads(repositories, root, told)
  // No bytes that nothing names, and none half taken in.
  assert.equal(readdirSync(join(root, 'registry/content/blobs/sha256')).length, repositories.usage().blobCount)
  assert.deepEqual(readdirSync(join(root, 'registry/content/ingest')), [])
}

function expectAcknowledged(repositories: ReturnType<typeof createRepositories>, told: readonly string[]): void {
  const tags = new Map<string, string[]>()
  for (const [kind, name = '', what = '', digest = ''] of told.map((line) => line.split(' '))) {
    if (kind === 'tag') tags.set(`${name} ${what}`, [...(tags.get(`${name} ${what}`) ?? []), digest])
    if (kind === 'blob' && !told.includes('collecting')) repositories.blobFile(name, what)
  }
  for (const [key, digests] of tags) {
    const [name = '', tag = ''] = key.split(' ')
    // Deleted last, perhaps without having been told.
    if (name === 'team/b') continue
    const found = repositories.statManifest(name, tag).digest
    // What was being done may be done; nothing goes back.
    assert.ok(found === digests.at(-1) || !digests.includes(found), `${key} is ${found} after ${digests.join(', ')}`)
  }
  if (told.includes('gone team/b')) assert.throws(() => repositories.statManifest('team/b', '1'), { kind: 'not_found' })
}

/** One that was not finished goes on where it was told to be, or further. */
async function expectUploads(
  repositories: ReturnType<typeof createRepositories>,
  root: string,
  told: readonly string[],
): Promise<void> {
  const finished = new Set(told.filter((line) => line.startsWith('finished ')).map((line) => line.split(' ')[1]))
  const open = told.map((line) => line.split(' ')).filter(([kind, id]) => kind === 'upload' && !finished.has(id))
  for (const [, id = '', sizeBytes = ''] of open) {
    const states = await Promise.all(
      ['team/a', 'team/b'].map(async (name) => await repositories.statUpload(name, id).catch(() => undefined)),
    )
    const state = states.find((one) => one !== undefined)
    // Finished, and killed before that could be told.
    if (state === undefined) continue
    assert.ok(state.sizeBytes >= Number(sizeBytes), `${id} has ${state.sizeBytes} of ${sizeBytes}`)
  }
  const uploads = join(root, 'registry/uploads')
  // Made with the first.
  if (existsSync(uploads)) assert.ok(readdirSync(uploads).length <= 1)
}

test('killed before any change to its records, a registry has what it acknowledged and nothing by halves', async (t) => {
  let steps = 0
  for (let nth = 1; nth < MAX_STEPS; nth += IS_ALL ? 1 : 7) {
    if (!(await killed([String(nth)]))) break
    steps += 1
  }
  t.diagnostic(`killed at ${steps} places`)
  assert.ok(steps >= 5)
})

test('killed at any moment as well', async () => {
  const moments = IS_ALL ? Array.from({ length: 60 }, (_, index) => 100 + index * 5) : [180, 240]
  for (const afterMs of moments) await killed(['0', String(afterMs)])
})
