import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { hostsText, parseResolvConf, resolvConfText } from './identity-files.ts'

const host = parseResolvConf(
  '# made by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.1 ; office\nsearch a.example b.example\noptions edns0\n',
)
const none = { nameServers: [], searchDomains: [], resolverOptions: [] }

test('the default bridge gets the name servers of the host but its loopback', () => {
  assert.equal(
    resolvConfText({ host, hasNameService: false, ...none }),
    'nameserver 10.0.0.1\nsearch a.example b.example\noptions edns0\n',
  )
})

test('a network of its own gets the embedded server and asks for names as they are', () => {
  assert.equal(
    resolvConfText({ host, hasNameService: true, ...none, nameServers: ['9.9.9.9'] }),
    'nameserver 127.0.0.11\nsearch a.example b.example\noptions edns0 ndots:0\n',
  )
  assert.match(resolvConfText({ host, hasNameService: true, ...none, resolverOptions: ['ndots:2'] }), /^options ndots:2$/m)
})

test('what the user says wins', () => {
  const wishes = { nameServers: ['9.9.9.9'], searchDomains: ['.'], resolverOptions: ['timeout:1'] }
  assert.equal(resolvConfText({ host, hasNameService: false, ...wishes }), 'nameserver 9.9.9.9\noptions timeout:1\n')
})

test('no resolv.conf makes the parser throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseResolvConf(text)))
})

test('hosts has the container, the additions and the gateway', () => {
  const text = hostsText({
    hostname: 'web',
    domainname: 'example.org',
    addresses: ['172.18.0.2', 'fd00::2'],
    extraHosts: ['db:10.0.0.7', 'gate:host-gateway', 'six:[fd00::9]', 'nonsense'],
    hostGateway: '172.18.0.1',
  })
  const lines = text.split('\n')
  for (const line of [
    '127.0.0.1\tlocalhost',
    '10.0.0.7\tdb',
    '172.18.0.1\tgate',
    'fd00::9\tsix',
    '172.18.0.2\tweb.example.org web',
  ])
    assert.ok(lines.includes(line), line)
  assert.ok(!text.includes('nonsense'))
})
