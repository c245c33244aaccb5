import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import { servedApi, type ServedApi } from './testing/socket.ts'

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n'

function collect(socket: Socket): { text(): string; until(part: string): Promise<void>; end: Promise<string> } {
  let text = ''
  let wake = () => {}
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    wake()
  })
  const end = once(socket, 'end').then(() => text)
  const until = async (part: string) => {
    while (!text.includes(part)) await new Promise<void>((resolve) => (wake = resolve))
  }
  return { text: () => text, until, end }
}

async function create(api: ServedApi, body: object): Promise<void> {
  const answer = await api.call('POST', '/containers/create?name=web', { Image: 'box:1', ...body })
  assert.equal(answer.status, 201)
}

function frame(text: string): string {
  return `\u0001\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`
}

for (const [style, headers, status] of [
  ['an upgrade', UPGRADE, '101 UPGRADED'],
  ['a plain POST', '', '200 OK'],
] as const) {
  test(`attach by ${style} carries both directions and survives the half-close of the input`, async () => {
    await using api = await servedApi()
    await create(api, { Cmd: ['cat'], OpenStdin: true })
    const socket = api.dial()
    const got = collect(socket)
    socket.write(`POST /v1.51/containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n${headers}\r\n`)
    await got.until('\r\n\r\n')
    assert.match(got.text(), new RegExp(`^HTTP/1.1 ${status}\r\nContent-Type: application/vnd.docker.multiplexed-stream`))
    await api.call('POST', '/containers/web/start')
    socket.write('one')
    await got.until(frame('one'))
    socket.end('two')
    assert.ok((await got.end).endsWith(`${frame('cat\n')}${frame('one')}${frame('two')}`))
  })

  test(`exec start by ${style} reads its JSON and keeps what comes behind it`, async () => {
    await using api = await servedApi()
    await create(api, { Cmd: ['sleep'] })
    const made = await api.call('POST', '/containers/web/exec', {
      Cmd: ['cat'],
      AttachStdin: true,
      AttachStdout: true,
      Tty: true,
    })
    const { Id: id } = made.json as { Id: string }
    const socket = api.dial()
    const got = collect(socket)
    const body = '{"Detach":false,"Tty":true}'
    socket.write(`POST /exec/${id}/start HTTP/1.1\r\nHost: d\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}early `)
    await got.until('\r\n\r\n')
    assert.match(got.text(), /Content-Type: application\/vnd\.docker\.raw-stream/)
    socket.end('late')
    assert.ok((await got.end).endsWith('cat\nearly late'))
    const state = (await api.call('GET', `/exec/${id}/json`)).json as { Running: boolean; ExitCode: number }
    assert.deepEqual([state.Running, state.ExitCode], [false, 0])
  })
}

test('input right behind a plain POST waits for the attachment, in one packet or in several', async () => {
  const slow = Promise.withResolvers<void>()
  await using api = await servedApi((engine) => ({
    ...engine,
    containers: {
      ...engine.containers,
      attach: async (ref, options) => {
        await slow.promise
        return await engine.containers.attach(ref, options)
      },
    },
  }))
  await create(api, { Cmd: ['cat'], OpenStdin: true, Tty: true })
  const socket = api.dial()
  const got = collect(socket)
  socket.write('POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\nGOOD ')
  await new Promise((resolve) => setImmediate(resolve))
  socket.write('more ')
  await api.call('GET', '/_ping')
  socket.end('last')
  slow.resolve()
  await got.until('\r\n\r\n')
  await api.call('POST', '/containers/web/start')
  assert.ok((await got.end).endsWith('cat\nGOOD more last'))
})

test('a chunked body is the input of a plain POST', async () => {
  await using api = await servedApi()
  await create(api, { Cmd: ['cat'], OpenStdin: true, Tty: true })
  const socket = api.dial()
  const got = collect(socket)
  const head = 'POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n'
  socket.write(`${head}3\r\none\r\n`)
  await got.until('\r\n\r\n')
  await api.call('POST', '/containers/web/start')
  socket.write('3\r\ntwo\r\n0\r\n\r\n')
  assert.ok((await got.end).endsWith('cat\nonetwo'))
  socket.destroy()
})

test('an attachment to nothing is refused over the upgraded connection too', async () => {
  await using api = await servedApi()
  const socket = api.dial()
  const got = collect(socket)
  socket.write(`POST /containers/none/attach?stream=1 HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`)
  const text = await got.end
  assert.match(text, /^HTTP\/1\.1 404 Not Found/)
  assert.match(text, /"message":"No such container: none"/)
  socket.destroy()
})

test('an upgrade on an ordinary route is an ordinary request', async () => {
  await using api = await servedApi()
  const socket = api.dial()
  const got = collect(socket)
  socket.write(`GET /_ping HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`)
  await got.until('OK')
  assert.match(got.text(), /^HTTP\/1\.1 200 OK/)
  socket.destroy()
})

test('a client that vanishes closes the attachment', async () => {
  const closed = Promise.withResolvers<void>()
  await using api = await servedApi((engine) => ({
    ...engine,
    containers: {
      ...engine.containers,
      attach: async (ref, options) => {
        const stream = await engine.containers.attach(ref, options)
        const close = () => {
          closed.resolve()
          stream.close()
        }
        return { ...stream, close }
      },
    },
  }))
  await create(api, { Cmd: ['sleep'] })
  const socket = api.dial()
  const got = collect(socket)
  socket.write(`POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`)
  await got.until('\r\n\r\n')
  socket.destroy()
  // A closed unix socket shows when it is written to.
  await api.call('POST', '/containers/web/start')
  await closed.promise
})

test('a megabyte each way passes without loss', async () => {
  await using api = await servedApi()
  await create(api, { Cmd: ['cat'], OpenStdin: true, Tty: true })
  const socket = api.dial()
  const got = collect(socket)
  socket.write(`POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`)
  await got.until('\r\n\r\n')
  await api.call('POST', '/containers/web/start')
  const payload = 'x'.repeat(1024 * 1024)
  socket.end(payload)
  assert.ok((await got.end).endsWith(`cat\n${payload}`))
})
