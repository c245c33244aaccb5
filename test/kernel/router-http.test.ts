import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { systemClock } from '#base'
import { curl, echoOf, httpRoute, routerFixture, type RouterFixture } from './router-fixture.ts'

const clock = systemClock()
let fixture: RouterFixture

const at = (port: number, path = '/') => `http://127.0.0.1:${port}${path}`
const host = (name: string) => ['-H', `Host: ${name}`]

describe('routes of requests', { timeout: 60_000 }, () => {
  before(async () => {
    fixture = await routerFixture()
  })
  after(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  it('go by host and path: whole hosts before wildcards before any, exact paths before the longest prefix', async () => {
    const port = await fixture.port()
    const rules = {
      shop: { hosts: ['Shop.example.com'] },
      api: { hosts: ['shop.example.com'], path: { type: 'prefix', value: '/api/' } },
      deep: { hosts: ['shop.example.com'], path: { type: 'prefix', value: '/api/v2' } },
      one: { hosts: ['shop.example.com'], path: { type: 'exact', value: '/api/one' } },
      wild: { hosts: ['*.example.com'] },
      help: { hosts: [], path: { type: 'prefix', value: '/help' } },
    } as const
    const routes = []
    for (const [id, more] of Object.entries(rules)) routes.push(httpRoute(port, [await fixture.backend(id)], more, id))
    assert.deepEqual(await fixture.router.apply(routes), [])
    const cases = [
      ['shop.example.com', '/', 'shop'],
      ['SHOP.example.com:81', '/apis', 'shop'],
      ['shop.example.com', '/api', 'api'],
      ['shop.example.com', '/api/x?a=/b', 'api'],
      ['shop.example.com', '/api/v2/x', 'deep'],
      ['shop.example.com', '/api/one', 'one'],
      ['shop.example.com', '/api/one/more', 'api'],
      ['other.example.com', '/api', 'wild'],
      ['a.b.example.com', '/help/me', 'help'],
      ['nobody', '/help', 'help'],
    ] as const
    for (const [name, path, wanted] of cases) {
      assert.equal(echoOf(await curl(...host(name), at(port, path))).name, wanted, `${name}${path}`)
    }
    const lost = await curl(...host('nobody'), at(port, '/x'))
    assert.deepEqual([lost.status, lost.body], [404, 'No route leads to this host and path.\n'])
    // Another name for a route that is there needs no reload.
    const { pid } = await fixture.router.status()
    const moved = routes.map((route) =>
      route.id === 'shop' ? httpRoute(port, route.backends, { hosts: ['shop.example.com', 'store.example.com'] }, 'shop') : route,
    )
    assert.deepEqual(await fixture.router.apply(moved), [])
    assert.equal(echoOf(await curl(...host('store.example.com'), at(port))).name, 'shop')
    assert.equal((await fixture.router.status()).pid, pid)
  })

  it('tell who the client is, and believe others only when they are trusted', async () => {
    const [plain, trusting] = [await fixture.port(), await fixture.port()]
    const backend = await fixture.backend('web')
    await fixture.router.apply([httpRoute(plain, [backend]), httpRoute(trusting, [backend], { trustedProxies: ['127.0.0.0/8'] })])
    const lie = [
      '-H',
      'X-Forwarded-For: 6.6.6.6',
      '-H',
      'X-Forwarded-Proto: https',
      '-H',
      'Forwarded: for=6.6.6.6',
      '-H',
      'X-Forwarded-Host: evil',
    ]
    const { headers } = echoOf(await curl(...lie, at(plain)))
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.equal(headers['x-forwarded-host'], `127.0.0.1:${plain}`)
    assert.equal(headers['forwarded'], 'for=127.0.0.1;proto=http')
    const believed = echoOf(await curl(...lie, at(trusting))).headers
    assert.equal(believed['x-forwarded-for'], '6.6.6.6, 127.0.0.1')
    assert.equal(believed['x-forwarded-proto'], 'https')
    assert.equal(believed['forwarded'], 'for=6.6.6.6')
  })

  it('set and remove headers word for word', async () => {
    const port = await fixture.port()
    const backend = await fixture.backend('web')
    const value = `a "b" 'c' # %[src] %% $HOME \\n {x} if unless \\ ü`
    const more = {
      requestHeaders: { set: { 'X-One': value, If: 'if' }, remove: ['User-Agent'] },
      responseHeaders: {
        set: { 'Strict-Transport-Security': 'max-age=5; includeSubDomains', 'X-Two': value },
        remove: ['x-backend'],
      },
    }
    assert.deepEqual(await fixture.router.apply([httpRoute(port, [backend], more)]), [])
    const answer = await curl(at(port))
    const { headers } = echoOf(answer)
    assert.equal(Buffer.from(String(headers['x-one']), 'latin1').toString('utf8'), value)
    assert.equal(headers['if'], 'if')
    assert.equal(headers['user-agent'], undefined)
    assert.equal(answer.headers.get('strict-transport-security'), 'max-age=5; includeSubDomains')
    assert.equal(answer.headers.get('x-two'), value)
    assert.equal(answer.headers.has('x-backend'), false)
  })

  it('redirect to another scheme, host or path, and keep the rest', async () => {
    const port = await fixture.port()
    const to = { status: 301, scheme: null, host: null, port: null, path: null } as const
    const routes = [
      httpRoute(port, [], { hosts: ['old.test'], redirect: { ...to, scheme: 'https', host: 'new.test' } }, 'host'),
      httpRoute(
        port,
        [],
        { hosts: ['path.test'], path: { type: 'prefix', value: '/a' }, redirect: { ...to, status: 308, path: '/b%20c/' } },
        'path',
      ),
      httpRoute(port, [], { hosts: ['port.test'], redirect: { ...to, status: 302, port: 8443, scheme: 'https' } }, 'port'),
    ]
    assert.deepEqual(await fixture.router.apply(routes), [])
    const location = async (name: string, path: string) => {
      const answer = await curl(...host(name), at(port, path))
      return `${answer.status} ${answer.headers.get('location') ?? ''}`
    }
    assert.equal(await location('old.test', '/x?y=1'), '301 https://new.test/x?y=1')
    assert.equal(await location('path.test', '/a/x?y=1'), '308 /b%20c/x?y=1')
    assert.equal(await location('path.test', '/a'), '308 /b%20c')
    assert.equal(await location('port.test:80', '/x'), '302 https://port.test:8443/x')
  })

  it('put another path in the place of what they matched, and keep the rest', async () => {
    const port = await fixture.port()
    const backend = await fixture.backend('web')
    const prefix = { type: 'prefix', value: '/api/' } as const
    const routes = [
      httpRoute(port, [backend], { hosts: ['cut.test'], path: prefix, replacePath: '/' }, 'cut'),
      httpRoute(port, [backend], { hosts: ['other.test'], path: prefix, replacePath: '/v%202/' }, 'other'),
      httpRoute(port, [backend], { hosts: ['all.test'], replacePath: '/below' }, 'all'),
      httpRoute(port, [backend], { hosts: ['one.test'], path: { type: 'exact', value: '/a' }, replacePath: '/b' }, 'one'),
    ]
    assert.deepEqual(await fixture.router.apply(routes), [])
    const asked = async (name: string, path: string) => echoOf(await curl(...host(name), at(port, path))).url
    assert.equal(await asked('cut.test', '/api/x/y?z=1'), '/x/y?z=1')
    assert.equal(await asked('cut.test', '/api?z=/api'), '/?z=/api')
    assert.equal(await asked('cut.test', '/api/'), '/')
    assert.equal(await asked('other.test', '/api/x'), '/v%202/x')
    assert.equal(await asked('other.test', '/api'), '/v%202/')
    assert.equal(await asked('all.test', '/x?y'), '/below/x?y')
    assert.equal(await asked('one.test', '/a?q'), '/b?q')
  })

  it('let in by network, by password and by rate', async () => {
    const ports = [await fixture.port(), await fixture.port(), await fixture.port(), await fixture.port()] as const
    const backend = await fixture.backend('web')
    const hash = execFileSync('openssl', ['passwd', '-6', 'secret'], { encoding: 'utf8' }).trim()
    const many = Array.from({ length: 200 }, (_, index) => `10.${index}.0.0/16`)
    const routes = [
      httpRoute(ports[0], [backend], { allow: many }),
      httpRoute(ports[1], [backend], { allow: ['127.0.0.0/8', '::1'], deny: [...many, '127.0.0.1'] }),
      httpRoute(ports[2], [backend], { basicAuth: { realm: 'The shop', users: [{ name: 'ann', hash }] } }),
      httpRoute(ports[3], [backend], { rateLimit: { requests: 5, perMs: 10_000 } }),
    ]
    assert.deepEqual(await fixture.router.apply(routes), [])
    assert.equal((await curl(at(ports[0]))).status, 403)
    assert.equal((await curl(at(ports[1]))).status, 403)
    const asked = await curl(at(ports[2]))
    assert.equal(asked.status, 401)
    assert.equal(asked.headers.get('www-authenticate'), 'Basic realm="The shop"')
    assert.equal((await curl('-u', 'ann:wrong', at(ports[2]))).status, 401)
    for (let count = 0; count < 3; count += 1) assert.equal((await curl('-u', 'ann:secret', at(ports[2]))).status, 200)
    assert.equal((await curl('-u', 'ann:wrong', at(ports[2]))).status, 401)
    const statuses: number[] = []
    for (let count = 0; count < 8; count += 1) statuses.push((await curl(at(ports[3]))).status)
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429])
  })

  it('refuse bodies that are too large, or of unknown length where there is a bound', async () => {
    const port = await fixture.port()
    await fixture.router.apply([httpRoute(port, [await fixture.backend('web')], { maxBodyBytes: 10 })])
    assert.equal((await curl('-d', '0123456789', at(port))).status, 200)
    assert.equal((await curl('-d', '0123456789a', at(port))).status, 413)
    assert.equal((await curl('-d', 'a', '-H', 'Transfer-Encoding: chunked', at(port))).status, 411)
  })

  it('say that nobody answers, in their own words', async () => {
    const [own, usual] = [await fixture.port(), await fixture.port()]
    const text = `We are moving "house" # 100%\nBack at noon.\n`
    assert.deepEqual(await fixture.router.apply([httpRoute(own, [], { unavailableText: text }), httpRoute(usual, [])]), [])
    const answer = await curl(at(own))
    assert.deepEqual([answer.status, answer.body, answer.headers.get('cache-control')], [503, text, 'no-store'])
    assert.match((await curl(at(usual))).body, /^Nobody answers/)
  })

  it('keep a client with its task, also after a reload, and let it go when the task drains', async () => {
    const port = await fixture.port()
    const backends = [await fixture.backend('one'), await fixture.backend('two'), await fixture.backend('three')]
    const route = httpRoute(port, backends, { sticky: { cookie: 'gbx', maxAgeMs: 60_000 }, balance: 'round-robin' })
    await fixture.router.apply([{ ...route, backends: backends.slice(0, 1) }])
    await fixture.router.apply([route])
    const jar = join(fixture.runDir, 'jar')
    const ask = async () => echoOf(await curl('-b', jar, '-c', jar, at(port))).name
    const mine = await ask()
    assert.match(readFileSync(jar, 'utf8'), /#HttpOnly_127\.0\.0\.1.*gbx/)
    for (let count = 0; count < 5; count += 1) assert.equal(await ask(), mine)
    const more = httpRoute(await fixture.port(), backends)
    await fixture.router.apply([route, more])
    for (let count = 0; count < 3; count += 1) assert.equal(await ask(), mine)
    await fixture.router.apply([
      { ...route, backends: backends.map((backend) => (backend.id === mine ? { ...backend, state: 'draining' } : backend)) },
      more,
    ])
    const other = await ask()
    assert.notEqual(other, mine)
    assert.equal(await ask(), other)
  })

  it('compress text for those who can read it', async () => {
    const port = await fixture.port()
    const backend = await fixture.backend('web', (_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<p>hello</p>'.repeat(1000))
    })
    await fixture.router.apply([httpRoute(port, [backend], { isCompressed: true })])
    const answer = await curl('--compressed', at(port))
    assert.equal(answer.headers.get('content-encoding'), 'gzip')
    assert.equal(answer.body, '<p>hello</p>'.repeat(1000))
    assert.equal((await curl(at(port))).headers.has('content-encoding'), false)
  })

  it('pass events on at once', async () => {
    const port = await fixture.port()
    const backend = await fixture.backend('web', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
    })
    await fixture.router.apply([httpRoute(port, [backend], { isCompressed: true })])
    const response = await fetch(at(port))
    const startMs = clock.monotonicMs()
    const reader = response.body?.getReader()
    const part = await reader?.read()
    assert.equal(Buffer.from(part?.value ?? []).toString(), 'data: 1\n\n')
    assert.ok(clock.monotonicMs() - startMs < 1000)
    await reader?.cancel()
  })

  it('hold so many at a task, queue the others and refuse when the route is full', async () => {
    const [queueing, full] = [await fixture.port(), await fixture.port()]
    let atOnce = 0
    let most = 0
    const backend = await fixture.backend('web', (_request, response) => {
      atOnce += 1
      most = Math.max(most, atOnce)
      clock.after(100, () => {
        atOnce -= 1
        response.end('x')
      })
    })
    await fixture.router.apply([
      httpRoute(queueing, [backend], { maxConnectionsPerTask: 2 }),
      httpRoute(full, [backend], { maxConnections: 3 }),
    ])
    const ask = async (port: number) => (await fetch(at(port))).status
    const queued = await Promise.all(Array.from({ length: 8 }, async () => await ask(queueing)))
    assert.deepEqual([...new Set(queued)], [200])
    assert.ok(most <= 2, `${most} at once`)
    const refused = await Promise.all(Array.from({ length: 12 }, async () => await ask(full)))
    assert.ok(refused.includes(503) && refused.includes(200), refused.join(' '))
  })

  it('write an access log of their own, whatever clients send', async () => {
    const [logged, silent] = [await fixture.port(), await fixture.port()]
    const backend = await fixture.backend('web')
    await fixture.router.apply([
      httpRoute(logged, [backend], { hasAccessLog: true }, 'logged'),
      httpRoute(silent, [backend], {}, 'silent'),
    ])
    await curl('-A', 'a\tb "c" \\ ', at(logged, '/x?y=%09"'))
    await curl(at(silent))
    const lines = () => readFileSync(join(fixture.runDir, 'access.log'), 'utf8').trim().split('\n')
    const deadline = clock.monotonicMs() + 5000
    for (;;) {
      try {
        if (lines().length > 0) break
      } catch {
        assert.ok(clock.monotonicMs() < deadline, 'no access log')
      }
      await clock.sleep(20)
    }
    assert.equal(lines().length, 1)
    const line = JSON.parse(lines()[0] ?? '') as Record<string, unknown>
    const { route, backend: name, status, method, client, host: asked } = line
    assert.deepEqual(
      { route, name, status, method, client, asked },
      { route: 'logged', name: 'web', status: 200, method: 'GET', client: '127.0.0.1', asked: `127.0.0.1:${logged}` },
    )
    assert.match(String(line['target']), /^\/x\?y=%09/)
    assert.match(String(line['agent']), /^a\\tb \\"c\\"/)
  })
})
