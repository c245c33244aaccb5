import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { seededRandom } from '#base'

import { answerQuery, shuffled } from './answer.ts'
import type { NameLookup } from './answer.ts'
import { framed, messagesOf } from './framing.ts'
import { addressOfReverseName, decodeQuery, DNS_CODE, DNS_TYPE, encodeQuery, encodeReply } from './message.ts'

const label = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-', '_'), minLength: 1, maxLength: 20 })
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))

test('a query is read back as it was asked, in lower case', () => {
  fc.assert(
    fc.property(fc.nat(65_535), name, fc.nat(65_535), (id, text, type) => {
      const query = decodeQuery(encodeQuery({ id, name: text.toUpperCase(), type }))
      assert.deepEqual([query.id, query.name, query.type, query.maxUdpBytes], [id, text, type, 512])
    }),
  )
})

test('no bytes do anything but parse or be called malformed', () => {
  const mutated = fc.tuple(name, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 8 })).map(([text, changes]) => {
    const bytes = encodeQuery({ id: 1, name: text, type: 1 })
    for (const [at, to] of changes) if (at < bytes.length) bytes[at] = to
    return bytes
  })
  const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(mutated, random), (bytes) => {
      try {
        decodeQuery(bytes)
      } catch (error) {
        assert.equal(error instanceof Error && 'code' in error && error.code, 'network.dns_malformed')
      }
    }),
    { numRuns: 2000 },
  )
})

test('a reply that is too long for UDP is cut at a record and says so', () => {
  const query = decodeQuery(encodeQuery({ id: 7, name: 'app', type: DNS_TYPE.a }))
  const answers = Array.from({ length: 60 }, (_, at) => ({ type: 'address' as const, address: `10.0.0.${at}` }))
  const reply = encodeReply(query, { code: DNS_CODE.noError, answers, timeToLiveS: 5 }, query.maxUdpBytes)
  assert.ok(reply.length <= 512)
  assert.equal(reply.readUInt16BE(2) & 0x0200, 0x0200)
  assert.equal(reply.readUInt16BE(6), Math.floor((512 - 12 - query.question.length) / 16))
})

test('EDNS raises the limit', () => {
  const opt = Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0])
  const bytes = Buffer.concat([encodeQuery({ id: 7, name: 'app', type: 1 }), opt])
  bytes.writeUInt16BE(1, 10)
  assert.equal(decodeQuery(bytes).maxUdpBytes, 1232)
})

test('reverse names are turned round', () => {
  assert.equal(addressOfReverseName('2.0.18.172.in-addr.arpa'), '172.18.0.2')
  assert.equal(addressOfReverseName(`2.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`), 'fd00:0000:0000:0000:0000:0000:0000:0002')
  for (const other of ['300.0.0.1.in-addr.arpa', 'web', '1.2.3.in-addr.arpa'])
    assert.equal(addressOfReverseName(other), undefined)
})

test('messages over TCP are found however the stream is cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 6 })
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 9 }), (sent, step) => {
      const stream = Buffer.concat(sent.map((message) => framed(Buffer.from(message))))
      const received: number[][] = []
      const receive = messagesOf((message) => void received.push([...message]))
      for (let at = 0; at < stream.length; at += step) receive(stream.subarray(at, at + step))
      assert.deepEqual(
        received,
        sent.map((message) => [...message]),
      )
    }),
  )
})

const lookup: NameLookup = {
  resolve: (_, text) => (text === 'web' ? ['10.0.0.2', 'fd00::2'] : undefined),
  reverse: (_, address) => (address === '10.0.0.2' ? 'web.front' : undefined),
  forward: undefined,
}

async function ask(text: string, type: number, change: Partial<NameLookup> = {}): Promise<{ code: number; answers: number }> {
  const reply = await answerQuery(encodeQuery({ id: 1, name: text, type }), {
    sandboxId: 'x',
    transport: 'udp',
    lookup: { ...lookup, ...change },
    random: seededRandom(1),
  })
  assert.ok(reply !== undefined)
  return { code: (reply[3] ?? 0) & 0xf, answers: reply.readUInt16BE(6) }
}

test('own names answer in the family that was asked for, and emptily for all else', async () => {
  assert.deepEqual(await ask('web', DNS_TYPE.a), { code: 0, answers: 1 })
  assert.deepEqual(await ask('WEB', DNS_TYPE.aaaa), { code: 0, answers: 1 })
  assert.deepEqual(await ask('web', 15), { code: 0, answers: 0 })
  assert.deepEqual(await ask('2.0.0.10.in-addr.arpa', DNS_TYPE.ptr), { code: 0, answers: 1 })
})

test('a foreign name is forwarded, does not exist without a way out, and fails softly when nobody answers', async () => {
  assert.deepEqual(await ask('example.org', 1), { code: DNS_CODE.nameError, answers: 0 })
  const fails = { forward: () => Promise.reject(new Error('timeout')) }
  assert.deepEqual(await ask('example.org', 1, fails), { code: DNS_CODE.serverFailure, answers: 0 })
  const echoes = { forward: (message: Buffer) => Promise.resolve(message) }
  assert.deepEqual(await ask('example.org', 1, echoes), { code: 0, answers: 0 })
})

test('an answer gets no answer', async () => {
  const reply = encodeReply(decodeQuery(encodeQuery({ id: 1, name: 'web', type: 1 })), { code: 0, answers: [], timeToLiveS: 1 })
  assert.equal(await answerQuery(reply, { sandboxId: 'x', transport: 'udp', lookup, random: seededRandom(1) }), undefined)
})

test('shuffling keeps all and brings each to the front sometimes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.nat(), (values, seed) => {
      const inOrder = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)
      assert.deepEqual(inOrder(shuffled(values, seededRandom(seed))), inOrder(values))
    }),
  )
  const firsts = new Set(Array.from({ length: 50 }, (_, seed) => shuffled([1, 2, 3], seededRandom(seed))[0]))
  assert.equal(firsts.size, 3)
})
