import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'

import { acceptOf, OPCODE } from '../../src/api/http/websocket.ts'
import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'
import { until } from '../support/processes.ts'
import { send } from './api/exam.ts'
import { hijack } from './api/hijack.ts'

/** More than all buffers on the way hold together: sockets, shim, session. */
const MUCH_BYTES = 64 << 20
/** What a client that reads nothing may cost the daemon. */
const MAX_GROWTH_BYTES = 24 << 20

describe('streams', () => {
  let daemon: TestDaemon
  const must = async (method: string, path: string, json?: unknown): Promise<any> => {
    const answer = await send(daemon.socketPath, method, path, json === undefined ? {} : { json })
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.bytes.toString()}`)
    return answer.json
  }
  before(async () => {
    daemon = await startDaemon()
    const bytes = readFileSync(await busyboxTar(daemon.directory))
    await send(daemon.socketPath, 'POST', '/images/create?fromSrc=-&repo=busybox&changes=ENV%20PATH%3D/bin', { bytes })
    await must('POST', '/containers/create?name=box', { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { Init: true } })
    await must('POST', '/containers/box/start')
  })
  after(async () => await daemon.stop())

  const makeExec = async (Cmd: readonly string[], more: object = {}): Promise<string> => {
    const spec = { Cmd, AttachStdin: true, AttachStdout: true, AttachStderr: true, ...more }
    return (await must('POST', '/containers/box/exec', spec)).Id
  }

  for (const isUpgrade of [true, false])
    for (const minor of [41, 51])
      test(`an exec over a connection taken over ${isUpgrade ? 'by an upgrade' : 'without being asked'}, at 1.${minor}`, async () => {
        const id = await makeExec(['sh', '-c', 'cat; echo err >&2; exit 5'])
        const taken = await hijack(daemon.socketPath, { path: `/v1.${minor}/exec/${id}/start`, json: {}, isUpgrade })
        assert.equal(taken.status, isUpgrade ? 'HTTP/1.1 101 UPGRADED' : 'HTTP/1.1 200 OK')
        const kind = minor >= 42 ? 'multiplexed' : 'raw'
        assert.match(taken.head, new RegExp(`Content-Type: application/vnd.docker.${kind}-stream`))
        // The half-close is the end of the input, not of the output.
        taken.socket.end('typed')
        const frames = framesOf(await taken.ended)
        assert.deepEqual(frames, { stdout: 'typed', stderr: 'err\n' })
        await until('the exit code', 3000, async () =>
          (await must('GET', `/exec/${id}/json`)).ExitCode === 5 ? true : undefined,
        )
      })

  test('a terminal is one raw stream, whichever way it is taken over', async () => {
    for (const isUpgrade of [true, false]) {
      const id = await makeExec(['sh', '-c', 'test -t 0 && sleep 0.2 && stty size'], { Tty: true })
      const json = { Tty: true, ConsoleSize: [11, 22] }
      const taken = await hijack(daemon.socketPath, { path: `/exec/${id}/start`, json, isUpgrade })
      assert.match(taken.head, /vnd\.docker\.raw-stream/)
      assert.equal((await taken.ended).toString(), '11 22\r\n')
      taken.socket.destroy()
    }
  })

  test('a websocket carries input and output in messages', async () => {
    const spec = { Image: 'busybox', Cmd: ['sh', '-c', 'read line; echo got $line'], OpenStdin: true, StdinOnce: true }
    await must('POST', '/containers/create?name=web', spec)
    const received: Buffer[] = []
    await new Promise<void>((resolve, reject) => {
      const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'a2V5' }
      const path = '/containers/web/attach/ws?stream=1&stdin=1&stdout=1'
      const sent = request({ socketPath: daemon.socketPath, path, headers })
      sent.once('upgrade', (response, socket, head) => {
        assert.equal(response.headers['sec-websocket-accept'], acceptOf('a2V5'))
        received.push(head)
        socket.on('data', (chunk: Buffer) => received.push(chunk))
        socket.once('end', () => resolve(void socket.destroy()))
        void must('POST', '/containers/web/start').then(() => socket.write(maskedFrame(Buffer.from('words\n'))), reject)
      })
      sent.once('error', reject)
      sent.end()
    })
    const bytes = Buffer.concat(received)
    assert.equal(bytes[0], 0x80 | OPCODE.binary)
    assert.match(bytes.toString('latin1'), /got words\n/)
    await must('DELETE', '/containers/web?force=1')
  })

  test('a body in chunks, and one that waits to be asked for, are read', async () => {
    const body = Buffer.from(JSON.stringify({ Name: 'in-chunks' }))
    const chunked = [body.subarray(0, 5), body.subarray(5)].flatMap((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n'])
    const head = 'POST /v1.41/volumes/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\n'
    assert.match(await raw([`${head}Transfer-Encoding: chunked\r\n\r\n`, ...chunked, '0\r\n\r\n']), /201 Created[^]*in-chunks/)
    const waiting = await raw([`${head}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`, body])
    assert.match(waiting, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 Created/)
    await must('DELETE', '/volumes/in-chunks')
  })

  test('a body that is too large is refused, and the daemon does not keep it', async () => {
    const before = residentBytes()
    const bytes = Buffer.alloc(48 << 20, ' ')
    const headers = { 'content-type': 'application/json' }
    const answer = await send(daemon.socketPath, 'POST', '/containers/create', { bytes, headers })
    assert.deepEqual([answer.status, /larger than/.test(answer.bytes.toString())], [400, true])
    assert.ok(residentBytes() - before < MAX_GROWTH_BYTES, `grew by ${residentBytes() - before} bytes`)
  })

  test('clients that read nothing hold back nobody else, and the daemon does not grow', async () => {
    const before = residentBytes()
    const silent = []
    for (let count = 0; count < 4; count += 1) {
      const id = await makeExec(['dd', 'if=/dev/zero', 'bs=64k', `count=${MUCH_BYTES >> 16}`])
      const socket = connect(daemon.socketPath)
      socket.on('error', () => undefined)
      socket.pause()
      const headers = 'Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2'
      socket.write(`POST /exec/${id}/start HTTP/1.1\r\n${headers}\r\n\r\n{}`)
      silent.push(socket)
    }
    const follower = connect(daemon.socketPath)
    follower.on('error', () => undefined)
    follower.pause()
    follower.write('GET /containers/box/export HTTP/1.1\r\nHost: d\r\n\r\n')
    for (let round = 0; round < 20; round += 1) {
      const id = await makeExec(['echo', `round ${round}`])
      const taken = await hijack(daemon.socketPath, { path: `/exec/${id}/start`, json: {}, isUpgrade: round % 2 === 0 })
      assert.equal(framesOf(await taken.ended).stdout, `round ${round}\n`)
      taken.socket.destroy()
    }
    assert.ok(residentBytes() - before < MAX_GROWTH_BYTES, `grew by ${residentBytes() - before} bytes`)
    for (const socket of [...silent, follower]) socket.destroy()
  })

  function residentBytes(): number {
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isDaemon(name))
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
  }

  function isDaemon(pid: string): boolean {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes('daemon.js') && command.includes(daemon.directory)
    } catch {
      // It ended while we looked.
      return false
    }
  }

  function raw(parts: readonly (string | Buffer)[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(daemon.socketPath)
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.once('end', () => resolve(text))
      socket.once('error', reject)
      for (const part of parts) socket.write(part)
    })
  }
})

function framesOf(bytes: Buffer): { readonly stdout: string; readonly stderr: string } {
  const texts = ['', '', '']
  for (let at = 0; at + 8 <= bytes.length; at += 8 + bytes.readUInt32BE(at + 4))
    texts[bytes[at] ?? 0] += bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at + 4)).toString()
  return { stdout: texts[1] ?? '', stderr: texts[2] ?? '' }
}

/** As clients must send them (RFC 6455, section 5.3). */
function maskedFrame(payload: Buffer): Buffer {
  const mask = Buffer.from([1, 2, 3, 4])
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x80 | OPCODE.binary, 0x80 | payload.length]), mask, masked])
}
