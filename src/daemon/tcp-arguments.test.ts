import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { readTcp } from './tcp-arguments.ts'

const FILES = { 'tls-ca': '/ca', 'tls-cert': '/cert', 'tls-key': '/key' }

test('TCP is for clients with certificates only', () => {
  assert.equal(readTcp({}), undefined)
  assert.throws(() => readTcp({ tcp: '127.0.0.1:2375' }), {
    code: 'input.invalid',
    message: '--tcp 127.0.0.1:2375: --tls-ca and --tls-cert and --tls-key missing',
  })
  assert.throws(() => readTcp({ tcp: 'h:1', 'tls-ca': '/ca', 'tls-cert': '/cert' }), /--tls-key missing/)
  assert.throws(() => readTcp({ 'tls-ca': '/ca' }), /--tls-ca is for connections over TCP/)
})

test('an address is a host and a port', () => {
  const files = { caFile: '/ca', certFile: '/cert', keyFile: '/key' }
  assert.deepEqual(readTcp({ tcp: '0.0.0.0:2376', ...FILES }), { host: '0.0.0.0', port: 2376, files })
  assert.deepEqual(readTcp({ tcp: '[::1]:2376', ...FILES }), { host: '::1', port: 2376, files })
  for (const tcp of ['', ':2376', 'host', 'host:', 'host:x', 'host:99999', '[host]:1', 'a:b:1', 'tcp://h:1'])
    assert.throws(() => readTcp({ tcp, ...FILES }), /not HOST:PORT|missing/, tcp)
})

test('property: any text gives an address or an error of kind invalid', () => {
  fc.assert(
    fc.property(fc.string(), (tcp) => {
      try {
        const { host, port } = readTcp({ tcp, ...FILES }) ?? { host: '', port: -1 }
        assert.ok(host !== '' && port >= 0 && port <= 65_535)
      } catch (error) {
        assert.ok(isKind(error, 'invalid'))
      }
    }),
  )
})
