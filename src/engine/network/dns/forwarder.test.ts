import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'

import { seededRandom, systemClock } from '#base'

import { fakeHost } from '#host'

import { createForwarder } from './forwarder.ts'
import { framed, messagesOf } from './framing.ts'
import { decodeQuery, encodeQuery, encodeReply } from './message.ts'

/** A name server on 127.0.0.1 that answers every query with its transport's address, and remembers the ids it saw. */
const udp = createSocket('udp4')
const tcp = createServer()
const ids: number[] = []
let port = 0

function replyTo(message: Buffer, address: string): Buffer {
  const query = decodeQuery(message)
  ids.push(query.id)
  return encodeReply(query, { code: 0, answers: [{ type: 'address', address }], timeToLiveS: 1 })
}

before(async () => {
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  ;({ port } = udp.address())
  udp.on('message', (message, peer) => {
    // A stranger's guess first: another id must not be taken for the answer.
    const forged = replyTo(message, '6.6.6.6')
    forged.writeUInt16BE((forged.readUInt16BE(0) + 1) % 65_536, 0)
    udp.send(forged, peer.port, peer.address)
    udp.send(replyTo(message, '10.0.0.1'), peer.port, peer.address)
  })
  tcp.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on(
      'data',
      messagesOf((message) => socket.write(framed(replyTo(message, '10.0.0.2')))),
    )
  })
  tcp.listen(port, '127.0.0.1')
  await once(tcp, 'listening')
  assert.equal((tcp.address() as AddressInfo).port, port)
})
after(() => {
  udp.close()
  tcp.close()
})

const forward = (transport: 'udp' | 'tcp', servers: readonly string[]) =>
  createForwarder({ clock: systemClock(), random: seededRandom(3), host: fakeHost(), port }).forward(
    encodeQuery({ id: 4711, name: 'example.org', type: 1 }),
    { servers },
    transport,
  )

test('an answer comes back under the id of the client, while the server saw another one', async () => {
  const reply = await forward('udp', ['127.0.0.1'])
  assert.equal(reply.readUInt16BE(0), 4711)
  assert.deepEqual([...reply.subarray(-4)], [10, 0, 0, 1])
  assert.ok(ids.length > 0 && !ids.includes(4711))
})

test('a query over TCP is asked over TCP', async () => {
  assert.deepEqual([...(await forward('tcp', ['127.0.0.1'])).subarray(-4)], [10, 0, 0, 2])
})

test('a server that refuses is passed over, and without any the query fails', async () => {
  for (const transport of ['udp', 'tcp'] as const) {
    const reply = await forward(transport, ['127.0.0.9', '127.0.0.1'])
    assert.equal(reply.readUInt16BE(0), 4711)
  }
  await assert.rejects(forward('udp', []), { code: 'operation.timeout' })
})

test('a server that cannot say is passed over for one that can, and heard when nobody can', async () => {
  const evasive = createSocket('udp4')
  evasive.bind(port, '127.0.0.3')
  await once(evasive, 'listening')
  evasive.on('message', (message, peer) => {
    const reply = encodeReply(decodeQuery(message), { code: 2, answers: [], timeToLiveS: 1 })
    evasive.send(reply, peer.port, peer.address)
  })
  try {
    assert.deepEqual([...(await forward('udp', ['127.0.0.3', '127.0.0.1'])).subarray(-4)], [10, 0, 0, 1])
    assert.equal((await forward('udp', ['127.0.0.3'])).readUInt16BE(2) & 0xf, 2)
    assert.equal((await forward('udp', ['127.0.0.3', '127.0.0.9'])).readUInt16BE(2) & 0xf, 2)
  } finally {
    evasive.close()
  }
})
