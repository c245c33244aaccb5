import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { formatAddress, parseAddress, parsePrefixed } from '../address.ts'
import { addressOf, linkOf, routeOf } from './entries.ts'
import { attribute, decodeAttributes, decodeReplies, encodeRequest } from './message.ts'

test('requests are read back as they were written, several in a row', () => {
  const request = fc.record({
    type: fc.nat(65_535),
    flags: fc.nat(65_535),
    body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 5 }), (requests) => {
      const wire = Buffer.concat(requests.map((one, at) => encodeRequest(one, at)))
      const replies = decodeReplies(wire)
      assert.deepEqual(
        replies.map(({ type, sequence, body }) => ({ type, sequence, body: Buffer.from(body) })),
        requests.map(({ type, body }, at) => ({ type, sequence: at, body })),
      )
    }),
  )
})

test('attributes are read back, whatever their length', () => {
  const values = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 0x3fff }), fc.uint8Array({ maxLength: 9 })), {
    selector: ([type]) => type,
  })
  fc.assert(
    fc.property(values, (attributes) => {
      const decoded = decodeAttributes(Buffer.concat(attributes.map(([type, value]) => attribute(type, value))))
      assert.deepEqual(
        [...decoded].map(([type, value]) => [type, [...value]]),
        attributes.map(([type, value]) => [type, [...value]]),
      )
    }),
  )
})

test('no bytes make the decoders throw or run for ever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeReplies(Buffer.from(bytes))
      decodeAttributes(Buffer.from(bytes))
    }),
  )
  const padded = fc
    .uint8Array({ minLength: 16, maxLength: 200 })
    .map((bytes) => ({ type: 0, sequence: 0, body: Buffer.from(bytes) }))
  fc.assert(
    fc.property(padded, (reply) => {
      for (const read of [linkOf, addressOf, routeOf])
        try {
          read(reply)
        } catch (error) {
          // The kernel does not send attributes that are too short; if it did, the read would say so and not go astray.
          assert.ok(error instanceof RangeError)
        }
    }),
  )
})

test('addresses are written the canonical way and read back', () => {
  for (const [text, canonical] of [
    ['172.18.0.1', '172.18.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['fd00::', 'fd00::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ] as const)
    assert.equal(formatAddress(parseAddress(text)), canonical)
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
      (bytes) => {
        assert.deepEqual([...parseAddress(formatAddress(Buffer.from(bytes)))], [...bytes])
      },
    ),
  )
  assert.deepEqual(parsePrefixed('10.0.0.1').prefixLength, 32)
  for (const bad of ['10.0.0.1/33', '10.0.0.1/', 'x/8', 'fe80::1%eth0', '10.0.0/8'])
    assert.throws(() => parsePrefixed(bad), { code: 'host.address_not_available' }, bad)
})
