import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'

import type { SocketPeer } from '#host'

import { openActors } from './actors.ts'

function asks(socket: object, headers: Readonly<Record<string, string>> = {}, peer?: SocketPeer) {
  const actors = openActors({ sockets: { peer: () => peer } as never })
  return actors.actorOf({ socket, headers } as unknown as IncomingMessage, 'api')
}

const onSocket = { _handle: { fd: 7 } }

test('who asks is the user at the other end of the socket, by name where the host has one', () => {
  assert.deepEqual(asks(onSocket, {}, { pid: 1, uid: 0, gid: 0 }), { by: 'root', from: 'api' })
  assert.deepEqual(asks(onSocket, {}, { pid: 1, uid: 4_000_000, gid: 0 }), { by: '4000000', from: 'api' })
  assert.deepEqual(asks({ _handle: null }), { by: 'unknown', from: 'api' })
})

test('on TCP it is who the certificate was made for', () => {
  const socket = { ...onSocket, getPeerCertificate: () => ({ subject: { CN: 'ann' } }) }
  assert.deepEqual(asks(socket, { 'glovebox-from': 'cli' }), { by: 'ann', from: 'cli' })
  assert.equal(asks({ getPeerCertificate: () => ({}) }).by, 'unknown')
})

test('a program that is none of ours is not believed what it calls itself', () => {
  assert.equal(asks(onSocket, { 'glovebox-from': 'glovebox' }).from, 'api')
  assert.equal(asks(onSocket, { 'glovebox-from': 'compose' }).from, 'api')
})
