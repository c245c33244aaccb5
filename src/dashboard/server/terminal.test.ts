import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rig, type Browser, type Rig } from './test-rig.ts'

interface Opened {
  readonly socket: WebSocket
  /** What has come, as text. */
  next(): Promise<string>
  readonly closed: Promise<CloseEvent>
}

/** As a browser does: the cookie and the origin go by themselves, the proof among the protocols. */
function open({ base }: Rig, browser: Browser, headers: Record<string, string> = {}, proof = browser.proof): Opened {
  const options = {
    protocols: ['glovebox.terminal', `proof.${proof}`],
    headers: { cookie: browser.cookie, origin: base, ...headers },
  }
  const socket = new WebSocket(`${base.replace('http', 'ws')}/terminal?container=web&columns=80&rows=24`, options)
  socket.binaryType = 'arraybuffer'
  const arrived: string[] = []
  let wake = () => undefined as void
  socket.addEventListener('message', ({ data }) => {
    arrived.push(Buffer.from(data as ArrayBuffer).toString())
    wake()
  })
  socket.addEventListener('error', () => undefined)
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve))
  return {
    socket,
    closed,
    next: async () => {
      while (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return arrived.shift() ?? ''
    },
  }
}

const isOpen = async ({ socket, closed }: Opened) =>
  await Promise.race([new Promise((resolve) => socket.addEventListener('open', () => resolve(true))), closed.then(() => false)])

test('keys go to the shell and its output comes back, and so do sizes', async () => {
  await using at = await rig()
  const opened = open(at, await at.user('ann', 'operator'))
  assert.equal(await isOpen(opened), true)
  assert.equal(opened.socket.protocol, 'glovebox.terminal')
  opened.socket.send(Buffer.from('ls\r'))
  assert.equal(await opened.next(), 'ls\r')
  opened.socket.send(JSON.stringify({ columns: 120, rows: 40 }))
  assert.equal(await opened.next(), '<120x40>')
  at.terminal()?.end()
  const { code, reason } = await opened.closed
  assert.deepEqual([code, reason], [1000, 'the shell has ended with exit code 0'])
})

test('nobody gets a terminal without the role, the proof and the right origin', async () => {
  await using at = await rig()
  const ann = await at.user('ann', 'operator')
  assert.equal(await isOpen(open(at, await at.user('eve', 'viewer'))), false)
  assert.equal(await isOpen(open(at, ann, {}, 'f'.repeat(64))), false)
  assert.equal(await isOpen(open(at, ann, { cookie: '' })), false)
  assert.equal(await isOpen(open(at, ann, { origin: 'http://evil.example' })), false)
  assert.equal(at.terminal(), undefined)
})

test('a terminal ends with the session', async () => {
  await using at = await rig()
  const ann = await at.user('ann', 'operator')
  const opened = open(at, ann)
  await isOpen(opened)
  await ann.ask('/session', { method: 'DELETE' })
  assert.equal((await opened.closed).code, 1008)
})

test('what is not understood ends the connection', async () => {
  await using at = await rig()
  const opened = open(at, await at.user('ann', 'operator'))
  await isOpen(opened)
  opened.socket.send('{"columns": 0}')
  assert.equal((await opened.closed).code, 1002)
})
