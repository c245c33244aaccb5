import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'

import type { Role } from '#dashboard/wire'

import { DOORS } from './doors.ts'
import { includes, ROLES } from './roles.ts'
import { ABSOLUTE_MS, IDLE_MS, MAX_PER_USER } from './sessions.ts'
import { VERB_ROLES } from './verbs.ts'
import { PASSWORD, rig, signIn, type Rig } from './test-rig.ts'

const json = { 'content-type': 'application/json' }

test('the page is served to anybody, with a policy that lets nothing else in', async () => {
  await using at = await rig()
  const index = await at.ask('/', { headers: { 'accept-encoding': 'identity' } })
  assert.equal(await index.text(), 'index.html')
  const policy = index.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /unsafe|https?:|\*/)
  for (const name of [
    'x-content-type-options',
    'referrer-policy',
    'x-frame-options',
    'cross-origin-opener-policy',
    'permissions-policy',
  ])
    assert.ok(index.headers.get(name), name)
  assert.equal(index.headers.get('cache-control'), 'no-cache')
  const script = await at.ask('/assets/page-AAAA.js', { headers: { 'accept-encoding': 'gzip;q=0, identity' } })
  assert.match(script.headers.get('cache-control') ?? '', /immutable/)
  const etag = script.headers.get('etag') ?? ''
  const again = await at.ask('/assets/page-AAAA.js', { headers: { 'accept-encoding': 'identity', 'if-none-match': etag } })
  assert.equal(again.status, 304)
})

test('nothing else is answered to who is not signed in, whichever half of a session he has', async () => {
  await using at = await rig()
  const ann = await at.user('ann', 'admin')
  const paths = ['/session', '/live', '/users', '/glovebox/v1/stacks', '/docker/images/json', '/nothing']
  for (const headers of [
    {},
    { cookie: ann.cookie },
    { 'x-glovebox-proof': ann.proof },
    { cookie: ann.cookie, 'x-glovebox-proof': 'f'.repeat(64) },
  ])
    for (const path of paths) {
      const answer = await at.ask(path, { headers: headers as Record<string, string> })
      assert.equal(answer.status, 401, `${path} ${JSON.stringify(headers)}`)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }
  assert.deepEqual(at.asked, [])
})

test('the cookie is out of the reach of scripts and other sites', async () => {
  await using at = await rig()
  await at.dashboard.accounts.put('ann', { role: 'viewer', password: PASSWORD }, 'a test')
  const cookie = (await signIn(at, 'ann')).headers.get('set-cookie') ?? ''
  assert.match(cookie, /^glovebox-test=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
})

test('what another site has the browser send is refused', async () => {
  await using at = await rig()
  const ann = await at.user('ann', 'admin')
  const post = async (headers: Record<string, string>) =>
    (await ann.ask('/docker/containers/x/stop', { method: 'POST', headers })).status
  assert.equal(await post({}), 200)
  assert.equal(await post({ origin: 'https://evil.example' }), 403)
  assert.equal(await post({ origin: 'null' }), 403)
  assert.equal(await post({ 'sec-fetch-site': 'cross-site' }), 403)
  // Another port of this host is another site's as well.
  assert.equal(await post({ origin: 'http://127.0.0.1:1' }), 403)
  assert.equal((await ann.ask('/glovebox/v1/stacks', { headers: { 'sec-fetch-site': 'same-site' } })).status, 403)
  const bare = await fetch(`${at.base}/session`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ user: 'ann', password: PASSWORD }),
  })
  assert.equal(bare.status, 403)
})

/** A request for each door, with a word in the place of each parameter. */
const requests = DOORS.map(({ method, path, role }) => ({ method, path: path.replaceAll(/\{[^}]+\}/g, 'x'), role }))

test('each role gets through its doors and through no others', async () => {
  await using at = await rig()
  for (const role of ROLES) {
    const browser = await at.user(role, role)
    for (const door of requests) {
      at.asked.length = 0
      const { status } = await browser.ask(door.path, { method: door.method })
      const isIn = includes(role, door.role)
      assert.equal(status, isIn ? 200 : 403, `${role}: ${door.method} ${door.path}`)
      const through = `${door.method} ${door.path.replace(/^\/docker/, '')}`
      assert.deepEqual(at.asked, isIn ? [through] : [])
      if (isIn) assert.equal(at.vouched.at(-1), role)
    }
    assert.equal((await browser.ask('/users')).status, role === 'admin' ? 200 : 403)
    for (const [verb, needed] of Object.entries(VERB_ROLES)) {
      const body = JSON.stringify(verb === 'scale' ? { verb, replicas: 2 } : { verb })
      at.asked.length = 0
      const { status } = await browser.ask('/services/shop%2Fweb', { method: 'POST', headers: json, body })
      assert.equal(status, includes(role, needed) ? 200 : 403, `${role}: ${verb}`)
      assert.deepEqual(at.asked, status === 200 ? [`${verb} shop/web by ${role} from dashboard`] : [])
    }
  }
})

test('what no door leads to is not reached, however it is written', async () => {
  await using at = await rig()
  const ann = await at.user('ann', 'admin')
  const paths = [
    'POST /glovebox/v1/shutdown',
    'GET /glovebox/v1/secrets',
    'POST /glovebox/v1/command-line',
    'GET /docker/secrets',
    'POST /docker/containers/create',
    'POST /docker/containers/x/exec',
    'GET /docker/containers/x/archive',
    'PUT /glovebox/v1/stacks/x',
    'GET /containers/json',
  ]
  for (const words of paths) {
    const [method = '', path = ''] = words.split(' ')
    assert.equal((await ann.ask(path, { method })).status, 404, words)
  }
  assert.deepEqual(at.asked, [])
  // Written by hand: fetch folds such paths by itself.
  const twisted = [
    '/glovebox/v1/stacks/../secrets',
    '/glovebox/v1/stacks/%2e%2e/secrets',
    '/glovebox/v1/stacks/.%2E',
    '/glovebox/v1//secrets',
    '/glovebox/v1/containers/..\\..\\secrets/anatomy',
    '//glovebox/v1/stacks',
    '/docker/images/../secrets/history',
    'http://other/glovebox/v1/stacks',
  ]
  for (const path of twisted) {
    const status = await rawStatus(
      at,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nCookie: ${ann.cookie}\r\nX-Glovebox-Proof: ${ann.proof}\r\nConnection: close\r\n\r\n`,
    )
    assert.equal(status, 404, path)
  }
  assert.deepEqual(at.asked, [])
})

async function rawStatus({ base }: Rig, text: string): Promise<number> {
  const { hostname, port } = new URL(base)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.end(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return Number(answer.split(' ')[1])
}

test('a wrong password is refused as an unknown name is, and too many are not listened to any more', async () => {
  await using at = await rig()
  await at.dashboard.accounts.put('ann', { role: 'viewer', password: PASSWORD }, 'a test')
  const wrong = await signIn(at, 'ann', 'wrong')
  const unknown = await signIn(at, 'nobody', 'wrong')
  assert.deepEqual([wrong.status, unknown.status], [403, 403])
  assert.deepEqual(await wrong.json(), await unknown.json())
  assert.equal((await signIn(at, 'ann')).status, 200)
  const statuses: number[] = []
  for (let tries = 0; tries < 10; tries += 1) statuses.push((await signIn(at, 'ann', 'wrong')).status)
  assert.deepEqual(
    statuses.slice(0, 8),
    Array.from({ length: 8 }, () => 403),
  )
  assert.equal(statuses.at(-1), 429)
  assert.equal((await signIn(at, 'ann')).status, 429)
  await at.clock.advance(61_000)
  assert.equal((await signIn(at, 'ann')).status, 200)
})

test('a sign-in that is no JSON is refused, so that no form of another site is one', async () => {
  await using at = await rig()
  const form = await at.ask('/session', {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: JSON.stringify({ user: 'a', password: 'b' }),
  })
  assert.equal(form.status, 400)
})

test('a session ends when nobody uses it, when it is old, and when its user signs out', async () => {
  await using at = await rig()
  const isIn = async (browser: { ask(path: string): Promise<Response> }) => (await browser.ask('/session')).status === 200
  const idle = await at.user('ann', 'viewer')
  const used = await at.user('bob', 'viewer')
  const out = await at.user('eve', 'viewer')
  assert.equal((await out.ask('/session', { method: 'DELETE' })).status, 204)
  assert.equal(await isIn(out), false)
  for (let ms = 0; ms < IDLE_MS; ms += IDLE_MS / 4) {
    await at.clock.advance(IDLE_MS / 4)
    assert.equal(await isIn(used), true)
  }
  assert.equal(await isIn(idle), false)
  for (let ms = IDLE_MS; ms < ABSOLUTE_MS; ms += IDLE_MS / 2) {
    await isIn(used)
    await at.clock.advance(IDLE_MS / 2)
  }
  assert.equal(await isIn(used), false)
})

test('another password, another role and a removal count at once', async () => {
  await using at = await rig()
  const admin = await at.user('root', 'admin')
  const ann = await at.user('ann', 'operator')
  const elsewhere = await at.user('ann', 'operator')
  assert.equal((await ann.ask('/session')).status, 401, 'a new password ends sessions')
  const stop = async () => (await elsewhere.ask('/docker/containers/x/stop', { method: 'POST' })).status
  assert.equal(await stop(), 200)
  const put = async (body: object) => await admin.ask('/users/ann', { method: 'PUT', headers: json, body: JSON.stringify(body) })
  assert.equal((await put({ role: 'viewer' })).status, 204)
  assert.equal(await stop(), 403)
  assert.equal((await put({ role: 'emperor' })).status, 400)
  assert.equal((await put({ password: 'short' })).status, 400)
  const change = await elsewhere.ask('/session/password', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ from: PASSWORD, to: `${PASSWORD}!` }),
  })
  assert.equal(change.status, 204)
  assert.equal((await elsewhere.ask('/session')).status, 200, 'who changes his own stays')
  assert.equal((await signIn(at, 'ann')).status, 403)
  assert.equal((await admin.ask('/users/ann', { method: 'DELETE' })).status, 204)
  assert.equal((await elsewhere.ask('/session')).status, 401)
})

test('a link signs in once, as an administrator, and not for long', async () => {
  await using at = await rig()
  const enter = async (url: string) =>
    await at.ask('/session/link', { method: 'POST', headers: json, body: JSON.stringify({ token: url.split('/enter/')[1] }) })
  const { url } = at.dashboard.makeLink(at.base)
  const first = await enter(url)
  const { role, isLocal } = (await first.json()) as { role: Role; isLocal: boolean }
  assert.deepEqual([first.status, role, isLocal], [200, 'admin', true])
  assert.equal((await enter(url)).status, 403)
  const late = at.dashboard.makeLink(at.base)
  await at.clock.advance(late.expiresAtMs - at.clock.nowMs())
  assert.equal((await enter(late.url)).status, 403)
})

test('browsers of one user are bounded: the one that was used least lately goes', async () => {
  await using at = await rig()
  const first = await at.user('ann', 'viewer')
  for (let more = 1; more < MAX_PER_USER; more += 1) await signIn(at, 'ann')
  assert.equal((await first.ask('/session')).status, 200)
  await at.clock.advance(1000)
  await signIn(at, 'ann')
  assert.equal(at.dashboard.accounts.list()[0]?.sessions, MAX_PER_USER)
})
