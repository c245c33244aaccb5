import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'

import fc from 'fast-check'

import cliBodies from './testing/cli-bodies.json' with { type: 'json' }
import { dockerRoutes } from './routes/table.ts'
import { servedApi, type ServedApi } from './testing/socket.ts'

/** Requests of the short form; the long one takes as many as GLOVEBOX_FUZZ_RUNS says. */
const RUNS = Number(process.env['GLOVEBOX_FUZZ_RUNS'] ?? 1500)
const ANSWER_TIMEOUT_MS = 5000

const ROUTES = dockerRoutes().map(({ method, path }) => ({ method, path }))

const QUERY_NAMES =
  'all limit size filters since until stdout stderr follow tail timestamps details stream one-shot t signal h w name condition path v force link logs stdin detachKeys repo tag changes comment author pause fromImage fromSrc platform type names noprune manifests shared-size ps_args container dockerfile buildargs labels q remote version noOverwriteDirNonDir verbose scope'.split(
    ' ',
  )

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1',
    'true',
    'all',
    '9'.repeat(40),
    '../..',
    '%',
    '/',
    'a/b:c',
    'box:1',
    'web',
    '\u0000',
    '{}',
    'null',
  ),
)
const filters = fc.oneof(
  text,
  fc
    .dictionary(
      fc.constantFrom('label', 'status', 'name', 'until', 'since', 'nope', 'dangling', 'id', 'exited', '__proto__'),
      fc.array(text),
    )
    .map((map) => JSON.stringify(map)),
  fc.json(),
)

/** A value as a client might send it, with something wrong at some place. */
const mutated = fc
  .tuple(
    fc.constantFrom(...Object.values(cliBodies as Readonly<Record<string, unknown>>)),
    fc.array(fc.tuple(fc.nat(), fc.jsonValue()), { maxLength: 4 }),
  )
  .map(([body, changes]) => changes.reduce<unknown>((value, [at, put]) => replaced(value, at, put), body))

const body = fc.oneof(
  { weight: 4, arbitrary: mutated.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.tuple(mutated, fc.nat()).map(([value, at]) => cut(JSON.stringify(value), at)) },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.constant('') },
)

/** Mostly what is there: what is not ends before its body is read. */
const named = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('web', 'box:1', 'bridge', 'vol') }, { weight: 1, arbitrary: text })

const sent = fc.record({
  route: fc.constantFrom(...ROUTES),
  version: fc.constantFrom('', '/v1.24', '/v1.41', '/v1.44', '/v1.51', '/v1.99', '/v0', '/v1.'),
  params: fc.tuple(named, named),
  query: fc.array(fc.tuple(fc.constantFrom(...QUERY_NAMES), fc.oneof(text, filters)), { maxLength: 4 }),
  type: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-tar'),
  body,
})

test('whatever is asked, the answer is no internal error, and the next request is served', async () => {
  await using api = await servedApi()
  await survive(api, RUNS)
  assert.equal((await api.call('GET', '/_ping')).text, 'OK')
})

test('the check reports a planted mistake', async () => {
  const broken = () => {
    throw new TypeError('planted')
  }
  await using api = await servedApi((engine) => ({ ...engine, images: { ...engine.images, list: broken } }))
  await assert.rejects(survive(api, 1500), /Property failed/)
})

async function survive(api: ServedApi, runs: number): Promise<void> {
  await api.call('POST', '/containers/create?name=web', { Image: 'box:1', Cmd: ['serve'] })
  await api.call('POST', '/volumes/create', { Name: 'vol' })
  await fc.assert(
    fc.asyncProperty(sent, async (asked) => {
      const path = pathOf(asked)
      const status = await statusOf(api, { method: asked.route.method, path, type: asked.type, body: asked.body })
      assert.notEqual(status, 500, `${asked.route.method} ${path} ${asked.body}`)
    }),
    { numRuns: runs },
  )
}

function pathOf({ route, version, params, query }: typeof sent extends fc.Arbitrary<infer T> ? T : never): string {
  let next = 0
  const filled = route.path.replaceAll(/\{[^}]+\}/g, () => encodeURIComponent(params[next++] ?? 'x') || 'x')
  return `${version}${filled}?${new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString()}`
}

/** Only the head: some answers never end. 0: the connection ended without one, as it may for bytes that are no HTTP. */
function statusOf(
  api: ServedApi,
  {
    method,
    path,
    type,
    body: payload,
  }: { readonly method: string; readonly path: string; readonly type: string; readonly body: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(payload) }
    const call = request(
      { socketPath: api.path, method, path, headers, agent: false, timeout: ANSWER_TIMEOUT_MS },
      (response) => {
        resolve(response.statusCode ?? 0)
        response.on('error', () => undefined)
        response.destroy()
      },
    )
    call.once('timeout', () => {
      reject(new Error(`${method} ${path}: no answer within ${ANSWER_TIMEOUT_MS} ms`))
      call.destroy()
    })
    call.on('error', () => resolve(0))
    call.end(payload)
  })
}

/** The `at`-th place of a value, counted in the order of writing, holds `put` instead. */
function replaced(value: unknown, at: number, put: unknown): unknown {
  const count = places(value)
  let left = at % count
  const walk = (node: unknown): unknown => {
    if (left-- === 0) return put
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, walk(inner)]))
  }
  return walk(value)
}

function places(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, inner) => sum + places(inner), 1)
}

function cut(json: string, at: number): string {
  return json.slice(0, at % (json.length + 1))
}
