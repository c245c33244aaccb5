import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { WireRoute, WireRouteDetail } from '#api/glovebox'
import { systemClock } from '#base'
import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'
import { run } from '../support/processes.ts'

const clock = systemClock()
const legacy = createServer((_request, response) => response.end('old house\n'))
let daemon: TestDaemon
let port = 0
let oldPort = 0

async function freePort(): Promise<number> {
  const server = createTcpServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function ask(times: number): Promise<readonly string[]> {
  const answers: string[] = []
  for (let count = 0; count < times; count += 1) {
    const { stdout } = await run('curl', [
      '-sk',
      '-m',
      '10',
      '--resolve',
      `shop.test:${port}:127.0.0.1`,
      `https://shop.test:${port}/name`,
    ])
    answers.push(stdout.trim())
  }
  return answers
}

async function cli(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.glovebox(...words)
  assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

describe('glovebox route', { timeout: 120_000 }, () => {
  before(async () => {
    daemon = await startDaemon()
    port = await freePort()
    const { promise, resolve } = Promise.withResolvers<void>()
    legacy.listen(0, '127.0.0.1', resolve)
    await promise
    const address = legacy.address()
    oldPort = typeof address === 'object' && address !== null ? address.port : 0
    await cli('import', await busyboxTar(daemon.directory), 'busy:1')
    const directory = join(daemon.directory, 'shop')
    mkdirSync(directory)
    writeFileSync(join(directory, 'compose.yaml'), composeFile(port, oldPort))
    await cli('up', directory)
  })
  after(async () => {
    legacy.closeAllConnections()
    legacy.close()
    await daemon.glovebox('down', join(daemon.directory, 'shop'))
    await daemon.stop()
  })

  it('lists what Compose files declare, and who answers', async () => {
    const routes = JSON.parse(await cli('route', 'ls', '--format', 'json')) as readonly WireRoute[]
    const [route] = routes
    assert.ok(route !== undefined && routes.length === 1)
    assert.deepEqual([route.id, route.hosts, route.certificate, route.problem], ['shop/web/web-1', ['shop.test'], 'own', null])
    const text = await cli('route', 'ls')
    assert.match(text, new RegExp(`shop/web/web-1 +https://shop\\.test:${port} +3/3 ready +web 100%, old 0%`))
    assert.deepEqual([...new Set(await ask(4))], ['hello from web'])
  })

  it('shifts to the old installation and back, and drains it', async () => {
    assert.equal(await cli('route', 'shift', 'shop/web/web-1', 'old=50%'), 'shop/web/web-1: web 50%, old 50% (by hand)\n')
    const answers = await ask(20)
    assert.equal(answers.filter((answer) => answer === 'old house').length, 10, answers.join(', '))
    assert.equal(await cli('route', 'drain', '--wait', '5s', 'shop/web/web-1', 'old'), 'old has no connections any more.\n')
    assert.deepEqual([...new Set(await ask(4))], ['hello from web'])
    assert.match(await cli('route', 'shift', '--reset', 'shop/web/web-1'), /web 100%, old 0%\n$/)
  })

  it('tells what a route did', async () => {
    await clock.sleep(200)
    const detail = JSON.parse(await cli('route', 'inspect', '--format', 'json', 'shop/web/web-1')) as WireRouteDetail
    const web = detail.figures.find((figures) => figures.group === 'web')
    assert.ok(web !== undefined && web.requests >= 8 && web.responses2xx === web.requests, JSON.stringify(detail.figures))
    assert.ok(web.latencyMs !== null && web.latencyMs.p50 <= web.latencyMs.p99)
    assert.match(await cli('route', 'inspect', 'shop/web/web-1'), /GROUP +REQUESTS +2XX/)
  })

  it('says what it does not know, by the right exit codes', async () => {
    const missing = await daemon.glovebox('route', 'inspect', 'no/such/route')
    assert.match(missing.stderr, /no such route: no\/such\/route/)
    const wrong = await daemon.glovebox('route', 'shift', 'shop/web/web-1', 'nobody=5')
    assert.match(wrong.stderr, /has no group "nobody"/)
    assert.match(wrong.stderr, /It has web, old/)
    assert.notEqual((await daemon.glovebox('route', 'shift', 'shop/web/web-1')).code, 0)
    assert.match(await cli('__complete', 'route', 'shift', 'shop'), /shop\/web\/web-1/)
  })
})

function composeFile(routed: number, old: number): string {
  return `name: shop
services:
  web:
    image: busy:1
    command: [sh, -c, 'mkdir /www && echo hello from web > /www/name && exec httpd -f -p 8080 -h /www']
    deploy:
      replicas: 2
    x-glovebox:
      routes:
        - hosts: [shop.test]
          address: 127.0.0.1
          port: ${routed}
          tls: { own: true, redirect_from: false }
          targets:
            - { service: web, port: 8080, share: 1 }
            - { name: old, address: 127.0.0.1, port: ${old}, share: 0 }
`
}
