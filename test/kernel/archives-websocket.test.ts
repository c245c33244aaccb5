import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { after, before, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'

let daemon: TestDaemon
let docker: Docker

before(async () => {
  daemon = await startDaemon()
  docker = dockerOf(daemon, dockerClients().at(-1) ?? '')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox')
})

after(async () => await daemon.stop())

test('a websocket carries the input of a container and both of its outputs', async () => {
  const id = await docker.must('create', '-i', 'busybox', '/bin/sh', '-c', 'read x; echo got $x; echo err >&2')
  const { socket, head, accept } = await open(`/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`)
  assert.equal(accept, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  const received = [head]
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  const ended = new Promise((resolve) => socket.once('end', resolve))
  await docker.must('start', id)
  const mask = Buffer.from([9, 8, 7, 6])
  const masked = Buffer.from('hello\n').map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | masked.length]), mask, masked]))
  await ended
  // Two binary messages, and the end with the status 1000.
  assert.equal(Buffer.concat(received).toString('latin1'), '\x82\ngot hello\n\x82\x04err\n\x88\x02\x03\xe8')
  await docker.must('rm', id)
})

function open(path: string): Promise<{ readonly socket: Duplex; readonly head: Buffer; readonly accept: string | undefined }> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: daemon.socketPath, path, headers })
    call.on('upgrade', (response, socket, head) => resolve({ socket, head, accept: response.headers['sec-websocket-accept'] }))
    call.on('response', ({ statusCode }) => reject(new Error(`answered ${statusCode}`)))
    call.on('error', reject)
    call.end()
  })
}
