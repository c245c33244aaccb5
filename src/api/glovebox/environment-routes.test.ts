import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import type { Environments, NewEnvironment } from '#cluster/environments'

import { answerEnvironments } from './environment-routes.ts'

const ANN = { by: 'ann', from: 'cli' } as const

/** What was asked of the port, by the words of its call. */
function rig() {
  const asked: (readonly unknown[])[] = []
  const note =
    (name: string) =>
    async (...args: readonly unknown[]) =>
      await Promise.resolve(void asked.push([name, ...args]) as never)
  const names = ['create', 'list', 'get', 'set', 'extend', 'remove', 'diff', 'refuseStack'] as const
  const port = Object.fromEntries(names.map((name) => [name, note(name)])) as unknown as Environments
  const ask = async (method: string, segments: readonly string[], body?: unknown, query = '') =>
    await answerEnvironments(port, {
      method,
      segments: ['environments', ...segments],
      query: new URLSearchParams(query),
      body: async () => await Promise.resolve(body),
      raw: (async function* () {})(),
      signal: new AbortController().signal,
      actor: () => ANN,
    })
  return { ask, asked }
}

test('each route asks for what it says, in the name of who asks', async () => {
  const { ask, asked } = rig()
  await ask('POST', [], { name: 'pr-1', from: 'shop', lifeMs: 60_000 })
  await ask('PUT', ['shop/pr-1', 'settings'], { settings: ['web.image=web:2'] })
  await ask('PUT', ['pr-1', 'life'], { lifeMs: null })
  await ask('GET', ['pr-1', 'diff', 'shop'], undefined, 'all=1')
  await ask('GET', ['pr-1'])
  await ask('GET', [])
  const wanted: NewEnvironment = {
    name: 'pr-1',
    from: 'shop',
    settings: [],
    hosts: [],
    hostPattern: null,
    lifeMs: 60_000,
    values: { secrets: {}, configs: {} },
    hasWritableBinds: false,
  }
  assert.deepEqual(asked, [
    ['create', wanted, ANN],
    ['set', 'shop/pr-1', ['web.image=web:2'], ANN],
    ['extend', 'pr-1', null],
    ['diff', 'pr-1', 'shop', { isWhole: true }],
    ['get', 'pr-1'],
    ['list'],
  ])
  for (const [method, ...segments] of [['PATCH'], ['POST', 'pr-1'], ['GET', 'pr-1', 'nothing']])
    assert.equal(await ask(method ?? '', segments), undefined)
})

test('fields that there are none of are refused by name, data with the reason', async () => {
  const { ask } = rig()
  const refused = async (body: unknown, message: RegExp, hint?: RegExp) =>
    await assert.rejects(ask('POST', [], body), (error: GloveboxError) => {
      assert.equal(error.code, 'api.bad_request')
      assert.match(error.message, message)
      if (hint !== undefined) assert.match(error.hint ?? '', hint)
      return true
    })
  const plain = { name: 'a', from: 'b', lifeMs: null }
  await refused({ ...plain, copyData: true }, /no "copyData"/, /begin empty/)
  await refused({ ...plain, colour: 'red' }, /no "colour"/, /It has name, from/)
  await refused({ ...plain, lifeMs: '3d' }, /lifeMs must be a whole number of milliseconds or null, not "3d"/)
  await refused({ from: 'b', lifeMs: null }, /name must be a text/)
  await refused({ ...plain, hasWritableBinds: 1 }, /hasWritableBinds must be true or false/)
})

test('whatever body is sent, a complaint is the user’s and shows no value of a secret', async () => {
  const { ask } = rig()
  const leaf = fc.constantFrom<unknown>('hush-hush', null, 7, ['a'], {}, undefined, true)
  const values = fc.record({ secrets: fc.oneof(leaf, fc.record({ a: leaf })), configs: leaf }, { requiredKeys: [] })
  const body = fc.record(
    { name: leaf, from: leaf, lifeMs: leaf, settings: leaf, hosts: leaf, values: fc.oneof(fc.constant(7), values) },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      try {
        await ask('POST', [], sent)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind === 'invalid', String(error))
        if (error.message.startsWith('values')) assert.equal(error.message.includes('hush-hush'), false)
      }
    }),
  )
})
