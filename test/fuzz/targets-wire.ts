import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'

import { parseJsonObject, readQuery } from '#api/http'
import { encodeFrame } from '#engine/runtime'

import { resolveUser } from '../../src/engine/containers/users.ts'
import { parseLogLine, timeNs } from '../../src/engine/logs/line.ts'
import { messagesOf } from '../../src/engine/network/dns/framing.ts'
import { decodeQuery, encodeQuery, encodeReply } from '../../src/engine/network/dns/message.ts'
import { parseChallenges } from '../../src/engine/registry/challenge.ts'
import { readCredentials } from '../../src/engine/registry/credentials.ts'
import { readRealm } from '../../src/engine/registry/realm.ts'
import { followRedirect } from '../../src/engine/registry/redirect.ts'
import { readRefusal, refusalError } from '../../src/engine/registry/refusal.ts'
import { parseExit, parseStarted, parseState } from '../../src/engine/runtime/records.ts'
import { frameDecoder, frameType } from '../../src/engine/runtime/shim-frames.ts'
import { connectionOf } from '../../src/host/netlink/conntrack-messages.ts'
import { addressOf, countersOf, linkOf, routeOf } from '../../src/host/netlink/entries.ts'
import { attribute, decodeReplies, encodeRequest, errnoOfAck, textOfAck } from '../../src/host/netlink/message.ts'
import { parseMountinfo } from '../../src/host/mountinfo.ts'
import type { FuzzTarget } from './fuzz.ts'

const bytes = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))
const text = (input: Buffer) => input.toString('utf8')

const challenges: FuzzTarget = {
  name: 'WWW-Authenticate',
  seeds: bytes(
    'Bearer realm="https://auth.x/token",service="r",scope="repository:a/b:pull",error="insufficient_scope"',
    'Basic realm=x, Bearer realm="a\\"b"',
  ),
  words: ['Bearer ', 'Basic ', 'realm=', '"', '\\', ',', ' ', '=', '\t', 'a'.repeat(300), ', '.repeat(300)],
  codes: [],
  run: (input) => {
    for (const { scheme, parameters } of parseChallenges(input.toString('latin1')))
      for (const key of [scheme, ...parameters.keys()]) assert.equal(key, key.toLowerCase())
  },
}

const refusals: FuzzTarget = {
  name: 'refusal of a registry',
  seeds: bytes('{"errors":[{"code":"DENIED","message":"no","detail":{}}]}', '<html>no</html>'),
  words: ['"errors"', '"code"', '"message"', '[', ']', '{', '}', 'null', 'TOOMANYREQUESTS'],
  codes: [],
  run: (input, roll) => {
    const refusal = readRefusal(roll.pick([200, 400, 401, 403, 404, 429, 500, 503]), input, [])
    assert.ok(refusalError(refusal, 'pull x').code.startsWith('registry.'))
  },
}

const ORIGIN = 'https://registry.example:443'
const addresses: FuzzTarget = {
  name: 'realm and redirect',
  seeds: bytes('https://auth.example/token', '/v2/x?y=z', '//other.example/x', 'http://127.0.0.1:5000/', 'https://u:p@x/'),
  words: [
    'http://',
    'https://',
    '//',
    '\\',
    '@',
    ':',
    '#',
    '?',
    '%00',
    '%2f',
    '[::1]',
    '169.254.169.254',
    'file:///',
    'javascript:',
    '\t',
    '\n',
  ],
  codes: ['registry.'],
  run: (input) => {
    const address = text(input)
    const realm = (() => readRealm(address, ORIGIN, { insecure: [] }))()
    assert.ok(realm.protocol === 'https:' && realm.username === '' && realm.password === '')
    const endpoint = { origin: ORIGIN, host: 'registry.example' } as Parameters<typeof followRedirect>[2]
    const next = followRedirect(new URL(ORIGIN), address, endpoint, { insecure: [] })
    assert.ok(next.protocol === 'https:' && next.username === '' && next.password === '')
  },
}

const credentials: FuzzTarget = {
  name: 'credentials of clients',
  seeds: bytes(
    '{"username":"a","password":"b"}',
    '{"identitytoken":"t"}',
    '{"username":"a","password":"b","serveraddress":"https://x"}',
    '{"auth":"YTpi"}',
  ),
  words: ['"username"', '"password"', '"serveraddress"', '"identitytoken"', '"registrytoken"', '\\r\\n', '\\u0000', '":"'],
  codes: ['registry.', 'http.'],
  run: (input) => {
    const found = readCredentials(parseJsonObject(input) as Parameters<typeof readCredentials>[0], 'registry.example')
    // They end in a header line: nothing in them may end it.
    if (found.kind === 'bearer') for (const value of Object.values(found)) assert.doesNotMatch(value, /[\r\n]/)
  },
}

const requests: FuzzTarget = {
  name: 'JSON and query of a request',
  seeds: bytes('{"Image":"x","HostConfig":{"Binds":["a:b"]}}', 'all=1&filters=%7B%7D&t=5', 'null', ''),
  words: ['{"a":'.repeat(40), '[', ']', '}', '__proto__', '%', '&', '=', '1e400', '%ff'],
  codes: ['http.'],
  run: (input) => {
    const query = readQuery(text(input))
    assert.equal(typeof query.bool('all'), 'boolean')
    const t = query.int('t')
    assert.ok(t === null || Number.isSafeInteger(t))
    assert.equal(typeof parseJsonObject(input), 'object')
  },
}

const dns: FuzzTarget = {
  name: 'DNS query',
  seeds: [
    encodeQuery({ id: 1, name: 'web.example', type: 1 }),
    encodeQuery({ id: 2, name: '2.0.18.172.in-addr.arpa', type: 12 }),
    Buffer.concat([encodeQuery({ id: 3, name: 'x', type: 28 }), Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])]),
  ],
  words: ['\xc0\x0c', '\x3f', '\x40', '\x00\x01\x00\x01', '\x00\x29', '\x03web'],
  codes: ['network.dns_malformed'],
  run: (input, roll) => {
    // As a stream it may come in any pieces.
    const messages: Buffer[] = []
    const take = messagesOf((message) => messages.push(message))
    for (let at = 0; at < input.length; at += 7) take(input.subarray(at, at + 7))
    const query = decodeQuery(input)
    assert.equal(query.name, query.name.toLowerCase())
    assert.ok(query.maxUdpBytes >= 512 && query.maxUdpBytes <= 1232)
    const answers = Array.from({ length: roll.below(60) }, () => ({ type: 'address' as const, address: '10.0.0.1' }))
    const reply = encodeReply(query, { code: 0, answers, timeToLiveS: 1 }, query.maxUdpBytes)
    assert.ok(reply.length <= query.maxUdpBytes)
    assert.equal(reply.readUInt16BE(0), query.id)
  },
}

const netlink: FuzzTarget = {
  name: 'netlink messages',
  seeds: [
    encodeRequest(
      {
        type: 16,
        flags: 0,
        body: Buffer.concat([
          Buffer.alloc(16),
          attribute(3, Buffer.from('eth0\0')),
          attribute(1, Buffer.alloc(6)),
          attribute(4, Buffer.from([220, 5, 0, 0])),
        ]),
      },
      1,
    ),
    encodeRequest(
      {
        type: 20,
        flags: 0,
        body: Buffer.concat([Buffer.from([2, 24, 0, 0, 1, 0, 0, 0]), attribute(1, Buffer.from([10, 0, 0, 1]))]),
      },
      2,
    ),
    encodeRequest(
      {
        type: 24,
        flags: 0,
        body: Buffer.concat([
          Buffer.from([2, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0]),
          attribute(5, Buffer.from([10, 0, 0, 1])),
          attribute(4, Buffer.alloc(4)),
        ]),
      },
      3,
    ),
    encodeRequest({ type: 2, flags: 0, body: Buffer.alloc(36) }, 4),
  ],
  words: ['\x04\x00\x01\x00', '\xff\xff', '\x00\x80', '\x08\x00\x03\x00'],
  codes: ['host.'],
  isPeerTrusted: true,
  run: (input) => {
    for (const reply of decodeReplies(input)) {
      errnoOfAck(reply)
      textOfAck(reply)
      for (const read of [linkOf, countersOf, addressOf, routeOf, connectionOf]) read(reply)
    }
  },
}

const logLines: FuzzTarget = {
  name: 'lines of a log',
  seeds: bytes(
    '{"log":"x\\n","stream":"stdout","time":"2024-01-01T00:00:00.123456789Z"}',
    '{"log":"","stream":"stderr","attrs":{"a":"b"},"time":"2024-01-01T00:00:00Z"}',
  ),
  words: ['"log"', '"stream"', '"time"', '"attrs"', '\\ud800', '9999999999', '+99:99', 'Z'],
  codes: [],
  run: (input) => {
    const entry = parseLogLine(text(input))
    if (entry === undefined) return
    assert.ok(entry.stream === 'stdout' || entry.stream === 'stderr')
    assert.equal(typeof timeNs(entry.time), 'bigint')
  },
}

const shimFrames: FuzzTarget = {
  name: 'messages of the shim',
  seeds: [
    Buffer.concat([
      encodeFrame(frameType.started, Buffer.from('{"pid":7,"startedAtNs":"1"}')),
      encodeFrame(frameType.stdout, Buffer.from('hello')),
      encodeFrame(frameType.outputEnd),
    ]),
    encodeFrame(frameType.exited, Buffer.from('{"pid":7,"exitCode":0,"signal":null,"startedAtNs":"1","exitedAtNs":"2"}')),
  ],
  words: ['\x01\0\0\0', '\x02\0\0\0\xff\xff\xff\xff', '\0\0\0\0'],
  codes: ['runtime.protocol_broken'],
  isPeerTrusted: true,
  run: (input, roll) => {
    const whole = frameDecoder().push(input)
    const pieces = frameDecoder()
    const found: (typeof whole)[number][] = []
    for (let at = 0; at < input.length;) {
      const length = 1 + roll.below(9)
      found.push(...pieces.push(input.subarray(at, at + length)))
      at += length
    }
    const control = (all: typeof whole) => all.filter(({ kind }) => kind === 'control')
    const output = (all: typeof whole) =>
      Buffer.concat(all.map((piece) => (piece.kind === 'output' ? piece.bytes : Buffer.alloc(0))))
    assert.deepEqual(control(found), control(whole))
    assert.deepEqual(output(found), output(whole))
  },
}

const shimRecords: FuzzTarget = {
  name: 'records of the shim',
  seeds: bytes(
    '{"pid":7,"exitCode":0,"signal":null,"startedAtNs":"1","exitedAtNs":"2","runtimeError":null}',
    '{"pid":7,"startedAtNs":"1","shimPid":8,"startTicks":9}',
    // Found: half a process was taken for one.
    '{"pid":71.5,"startedAtNs":"1","shimPid":8,"startTicks":9}',
    '{"pid":-1,"startedAtNs":"1","shimPid":8,"startTicks":9}',
  ),
  words: ['"pid"', '"exitCode"', '"signal"', '"startedAtNs"', '"1e3"', '-1', '1.5', 'null', '"9".repeat(40)'],
  codes: ['runtime.protocol_broken'],
  isPeerTrusted: true,
  run: (input, roll) => {
    const record = roll.pick([parseExit, parseStarted, parseState])(text(input))
    assert.ok(Number.isSafeInteger(record.pid) && record.pid >= 0 && record.startedAtNs >= 0n)
  },
}

const users: FuzzTarget = {
  name: 'users of an image',
  seeds: bytes('root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n\nroot:x:0:\nextra:x:2000:app\n'),
  words: [':', '\n', '4294967295', '-1', '2147483648', 'root', 'app', '\0', '0x0', ' 0', '1e3'],
  codes: ['container.user_unknown'],
  run: (input, roll) => {
    const [passwd = '', group = ''] = text(input).split('\n\n')
    const user = resolveUser(roll.pick(['app', 'root', '1000', 'app:extra', '', 'x', '-1', '4294967296', ':']), ['extra'], {
      passwd,
      group,
    })
    for (const id of [user.uid, user.gid, ...user.additionalGids])
      assert.ok(Number.isSafeInteger(id) && id >= 0 && id <= 2_147_483_647)
  },
}

const mounts: FuzzTarget = {
  name: 'mountinfo',
  seeds: bytes('36 35 98:0 /mnt1 /mnt/par\\040ent rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n'),
  words: [' - ', '\\040', '\\777', '\n', ' '],
  codes: [],
  run: (input) => {
    for (const { target } of parseMountinfo(text(input))) assert.equal(typeof target, 'string')
  },
}

export const WIRE_TARGETS: readonly FuzzTarget[] = [
  challenges,
  refusals,
  addresses,
  credentials,
  requests,
  dns,
  netlink,
  logLines,
  shimFrames,
  shimRecords,
  users,
  mounts,
]
