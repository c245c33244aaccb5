import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, systemRandom, virtualClock } from '#base'
import { openSecrets } from '#cluster/secrets'
import { memoryStore } from '#cluster/store'

import { answerSecrets } from './secret-routes.ts'

const MARK = 'hunter2-and-more'
const base64 = (text: string) => Buffer.from(text).toString('base64')

function rig(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-secret-routes-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const clock = virtualClock()
  const key = { type: 'own', path: join(directory, 'key') } as const
  const secrets = openSecrets({ store: memoryStore(clock), clock, random: systemRandom(), key })
  return async (method: string, path: string, body?: unknown) => {
    const answer = await answerSecrets(secrets, {
      method,
      segments: path.split('/'),
      query: new URLSearchParams(),
      body: async () => await Promise.resolve(body),
      raw: (async function* () {})(),
      signal: new AbortController().signal,
      actor: () => assert.fail('not asked'),
    })
    return answer?.json
  }
}

test('a secret is made, shown without its value, rotated and removed; a config is shown with it', async (t) => {
  const ask = rig(t)
  for (const [path, value] of [
    ['secrets', undefined],
    ['configs', base64('two')],
  ] as const) {
    await ask('POST', path, { name: 'key', labels: { a: 'b' }, value: base64('one') })
    await ask('POST', `${path}/key/rotate`, { value: base64('two') })
    await ask('PUT', `${path}/key/labels`, { labels: { c: 'd' } })
    const details = (await ask('GET', `${path}/key`)) as Readonly<Record<string, unknown>>
    assert.deepEqual([details['version'], details['labels'], details['usedBy'], details['value']], [2, { c: 'd' }, [], value])
    assert.equal(((await ask('GET', path)) as readonly unknown[]).length, 1)
    await ask('DELETE', `${path}/key`)
    assert.deepEqual(await ask('GET', path), [])
  }
  assert.deepEqual(await ask('POST', 'secret-key'), { secrets: 0 })
  for (const [method, path] of [
    ['GET', 'secret-key'],
    ['POST', 'configs/key'],
    ['GET', 'secrets/a/b/c'],
    ['PATCH', 'secrets'],
  ] as const)
    assert.equal(await ask(method, path), undefined)
})

test('safety: whatever body is sent, no complaint shows a value', async (t) => {
  const ask = rig(t)
  const leaf = fc.constantFrom<unknown>(MARK, base64(MARK), null, 7, ['a'], { a: MARK }, undefined)
  const body = fc.oneof(leaf, fc.record({ name: leaf, value: leaf, labels: leaf }, { requiredKeys: [] }))
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('secrets', 'secrets/key/rotate'), async (sent, path) => {
      try {
        await ask('POST', path, sent)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind !== 'internal', String(error))
        // A name is repeated: it is none of the values.
        if (typeof sent === 'object' && sent !== null && 'name' in sent && sent.name !== undefined) return
        assert.ok(
          ![error.message, error.hint].some((text) => text?.includes(MARK) === true || text?.includes(base64(MARK)) === true),
        )
      }
    }),
  )
})
