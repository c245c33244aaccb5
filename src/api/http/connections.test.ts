import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import fc from 'fast-check'

import { boundedConnections } from './connections.ts'

class FakeSocket extends EventEmitter {
  isDestroyed = false
  destroy() {
    if (this.isDestroyed) return
    this.isDestroyed = true
    this.emit('close')
  }
}

function rig(max: number) {
  const connections = boundedConnections(max)
  const open = () => {
    const socket = new FakeSocket()
    connections.add(socket as unknown as Socket)
    return socket
  }
  const ask = (socket: FakeSocket) => {
    const response = new EventEmitter()
    connections.serves({ socket } as unknown as IncomingMessage, response as unknown as ServerResponse)
    return () => response.emit('close')
  }
  return { connections, open, ask }
}

test('one too many closes the one that was idle longest', () => {
  const { open, ask } = rig(2)
  const [first, second] = [open(), open()]
  ask(first)()
  const third = open()
  assert.deepEqual([first.isDestroyed, second.isDestroyed, third.isDestroyed], [false, true, false])
})

test('a connection at work is never closed: the new one is turned away', () => {
  const { connections, open, ask } = rig(2)
  const [first, second] = [open(), open()]
  const answered = ask(first)
  connections.takenOver(second as unknown as Socket)
  assert.equal(open().isDestroyed, true)
  answered()
  assert.equal(open().isDestroyed, false)
  assert.deepEqual([first.isDestroyed, second.isDestroyed], [true, false])
})

test('however they come, ask and go, there are never more than allowed, and none is closed at work', () => {
  const step = fc.oneof(
    fc.constant({ do: 'open' as const, at: 0 }),
    fc.record({ do: fc.constantFrom('ask' as const, 'answer' as const, 'leave' as const), at: fc.nat(9) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const { open, ask } = rig(max)
      const sockets: { socket: FakeSocket; answers: (() => void)[] }[] = []
      for (const { do: what, at } of steps) {
        const one = sockets.filter(({ socket }) => !socket.isDestroyed)[at]
        if (what === 'open') sockets.push({ socket: open(), answers: [] })
        else if (one === undefined) continue
        else if (what === 'ask') one.answers.push(ask(one.socket))
        else if (what === 'answer') one.answers.pop()?.()
        else if (one.answers.length === 0) one.socket.destroy()
        assert.ok(sockets.filter(({ socket }) => !socket.isDestroyed).length <= max)
        assert.ok(sockets.every(({ socket, answers }) => answers.length === 0 || !socket.isDestroyed))
      }
    }),
  )
})
