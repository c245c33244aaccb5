import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { systemClock } from '#base'
import type { Backend } from '#traffic/router'
import { httpRoute, routerFixture, type RouterFixture } from './router-fixture.ts'

const clock = systemClock()
const children: ChildProcess[] = []
let fixture: RouterFixture
/** Long form: `GLOVEBOX_ROUTER_ROUNDS=200`. */
const ROUNDS = Number(process.env['GLOVEBOX_ROUTER_ROUNDS'] ?? 4)
/** What the bars of the router promise. */
const MAX_IN_MS = 100

async function task(id: string): Promise<Backend & { readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'traffic-backend.ts'), id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  assert.ok(child.stdout !== null)
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return { id, address: '127.0.0.1', port: Number(chunk.toString().trim()), state: 'ready', child }
}

/** One answer, with its status, through an agent. */
async function get(port: number, agent: Agent | false): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const asked = request(
    { host: '127.0.0.1', port, agent: agent === false ? new Agent() : agent, timeout: 15_000 },
    (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString()))
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`))))
      response.on('error', reject)
    },
  )
  asked.on('error', reject)
  asked.on('timeout', () => asked.destroy(new Error('no answer')))
  asked.end()
  return await promise
}

/** Four clients that keep their connections, or make a new one for each request. */
function load(port: number, isKept: boolean) {
  const failures: string[] = []
  let requests = 0
  let isOver = false
  const agent = isKept ? new Agent({ keepAlive: true, maxSockets: 4 }) : false
  const client = async () => {
    while (!isOver) {
      requests += 1
      await get(port, agent).catch((error: unknown) => failures.push(String(error)))
    }
  }
  const clients = Array.from({ length: 4 }, client)
  return async () => {
    isOver = true
    await Promise.all(clients)
    if (agent !== false) agent.destroy()
    return { failures, requests }
  }
}

describe('a route whose tasks come and go', { timeout: 300_000 }, () => {
  before(async () => {
    fixture = await routerFixture()
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await fixture[Symbol.asyncDispose]()
  })

  it('fails no request while tasks are replaced and killed, neither on connections that are kept nor on new ones', async () => {
    const port = await fixture.port()
    let current = [await task('t0'), await task('u0')]
    const plain = () => current.map(({ id, address, port: own, state }) => ({ id, address, port: own, state }))
    await fixture.router.apply([httpRoute(port, plain())])
    const loads = [load(port, true), load(port, false)]
    for (let round = 1; round <= ROUNDS; round += 1) {
      const next = await task(`t${round}`)
      const [old, ...others] = current
      assert.ok(old !== undefined)
      current = [...others, next]
      if (round % 2 === 0) {
        // Nobody is told: it is simply gone.
        await fixture.router.apply([
          httpRoute(port, [...plain(), { id: old.id, address: old.address, port: old.port, state: 'ready' }]),
        ])
        old.child.kill('SIGKILL')
        await once(old.child, 'exit')
        await fixture.router.apply([httpRoute(port, plain())])
      } else {
        await fixture.router.apply([
          httpRoute(port, [...plain(), { id: old.id, address: old.address, port: old.port, state: 'draining' }]),
        ])
        while (((await fixture.router.connections()).get(old.id) ?? 0) > 0) await clock.sleep(10)
        old.child.kill('SIGTERM')
        await fixture.router.apply([httpRoute(port, plain())])
      }
      await clock.sleep(50)
    }
    for (const finish of loads) {
      const { failures, requests } = await finish()
      assert.deepEqual(failures, [], `of ${requests}`)
      assert.ok(requests > 100)
    }
  })

  it('answers from a task at once after it became ready, and not after it went', async () => {
    const port = await fixture.port()
    const [one, two] = [await task('one'), await task('two')]
    const plain = ({ id, address, port: own }: Backend): Backend => ({ id, address, port: own, state: 'ready' })
    await fixture.router.apply([httpRoute(port, [plain(one)], { balance: 'round-robin' })])
    let startMs = clock.monotonicMs()
    await fixture.router.apply([httpRoute(port, [plain(one), plain(two)], { balance: 'round-robin' })])
    while ((await get(port, false)) !== 'two') assert.ok(clock.monotonicMs() - startMs < 5000)
    const inMs = clock.monotonicMs() - startMs
    startMs = clock.monotonicMs()
    await fixture.router.apply([httpRoute(port, [plain(two)], { balance: 'round-robin' })])
    const outMs = clock.monotonicMs() - startMs
    for (let count = 0; count < 4; count += 1) assert.equal(await get(port, false), 'two')
    assert.ok(inMs < MAX_IN_MS && outMs < MAX_IN_MS, `in after ${inMs} ms, out after ${outMs} ms`)
  })

  it('leaves a websocket with its task while that drains, over a reload, and leads new ones elsewhere', async () => {
    const port = await fixture.port()
    const backends = [await websocketTask('old'), await websocketTask('new')] as const
    const [old, young] = backends.map(({ backend }) => backend)
    assert.ok(old !== undefined && young !== undefined)
    await fixture.router.apply([httpRoute(port, [old])])
    const first = await connect(port)
    assert.equal(await first.next(), 'old')
    await fixture.router.apply([httpRoute(port, [{ ...old, state: 'draining' }, young])])
    const second = await connect(port)
    assert.equal(await second.next(), 'new')
    assert.equal((await fixture.router.connections()).get('old'), 1)
    await fixture.router.apply([httpRoute(port, [young]), httpRoute(await fixture.port(), [], {}, 'more')])
    await clock.sleep(700)
    backends[0].say('still here')
    assert.equal(await first.next(), 'still here')
    first.socket.close()
    second.socket.close()
    for (const { stop } of backends) stop()
  })

  it('serves a connection that was kept over a reload by the tasks that came after it, and counts what is open from before', async () => {
    const port = await fixture.port()
    const [old, young] = [await task('before'), await task('after')]
    const { backend: socketTask, stop } = await websocketTask('open')
    const plain = ({ id, address, port: own }: Backend): Backend => ({ id, address, port: own, state: 'ready' })
    await fixture.router.apply([httpRoute(port, [plain(old)])])
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    assert.equal(await get(port, agent), 'before')
    const sockets = await fixture.port()
    await fixture.router.apply([httpRoute(port, [plain(old)]), httpRoute(sockets, [socketTask])])
    const { socket } = await connect(sockets)
    await fixture.router.apply([httpRoute(port, [plain(young)]), httpRoute(sockets, [socketTask], { isCompressed: true })])
    old.child.kill('SIGKILL')
    await once(old.child, 'exit')
    assert.equal((await fixture.router.connections()).get('open'), 1)
    assert.equal(await get(port, agent), 'after')
    agent.destroy()
    socket.close()
    stop()
  })
})

interface WebsocketTask {
  readonly backend: Backend
  /** To everybody who is connected. */
  say(text: string): void
  stop(): void
}

/** RFC 6455, as much as short texts from the server take. Says its name first. */
async function websocketTask(name: string): Promise<WebsocketTask> {
  const sockets = new Set<Socket>()
  const frame = (text: string) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)])
  const server = createServer()
  server.on('upgrade', (asked, socket: Socket) => {
    void answer(String(asked.headers['sec-websocket-key'])).then((accept) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      socket.write(frame(name))
      sockets.add(socket)
      socket.on('error', () => undefined)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    backend: { id: name, address: '127.0.0.1', port, state: 'ready' },
    say: (text) => {
      for (const socket of sockets) socket.write(frame(text))
    },
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function answer(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', Buffer.from(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`))
  return Buffer.from(digest).toString('base64')
}

async function connect(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  const texts: string[] = []
  let wake = () => {}
  socket.addEventListener('message', (event) => {
    texts.push(String(event.data))
    wake()
  })
  socket.addEventListener('close', () => {
    texts.push('closed')
    wake()
  })
  return {
    socket,
    next: async () => {
      while (texts.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        await promise
      }
      return texts.shift() ?? ''
    },
  }
}
