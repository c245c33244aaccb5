import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'

import { until } from '../support/processes.ts'
import { type Survivor, survivor } from '../kernel/survival-fixture.ts'
import { memoryBytesOf } from '../kernel/survival-traces.ts'
import { during, startNeighbours, told, type Noticed } from './watch-neighbour.ts'

const IS_LONG = process.env['GLOVEBOX_ABUSE'] === 'long'
const FLOOD_MEGABYTES = IS_LONG ? 1024 : 64
const CONNECTIONS = 10_000
const DEAF_CLIENTS = IS_LONG ? 200 : 40

/** Of the daemon's own, on two cores that the test, the abuser and the daemon share. */
const MAX_API_P99_MS = 500
const MAX_PACKET_MS = 500
const MAX_MEMORY_BYTES = 512 * 1024 * 1024

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
  await startNeighbours(s)
})
after(async () => {
  // They would have ten seconds to end by themselves.
  await s.docker('rm', '-f', 'near', 'far')
  await s.dispose()
})

const pause = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms))

/** While `work` goes on the others notice little, and afterwards all is as before. */
async function bearable<T>(t: TestContext, work: () => Promise<T>): Promise<T> {
  const { noticed, result } = await during(s, work)
  t.diagnostic(told(noticed))
  expectLittle(noticed)
  assert.equal(await s.must('run', '--rm', 'busybox', 'echo', 'fine'), 'fine')
  await s.expectNoLeaks()
  return result
}

function expectLittle({ ownApiP99Ms, packetMaxMs, packetsLost, peakMemoryBytes }: Noticed): void {
  assert.ok(ownApiP99Ms < MAX_API_P99_MS, `p99 of the API: ${ownApiP99Ms} ms of the daemon's own`)
  assert.ok(packetMaxMs < MAX_PACKET_MS, `slowest packet: ${packetMaxMs} ms`)
  assert.equal(packetsLost, 0)
  assert.ok(peakMemoryBytes < MAX_MEMORY_BYTES, `memory: ${peakMemoryBytes} bytes`)
}

test('a fork bomb stays in its container and can be removed', async (t) => {
  await bearable(t, async () => {
    await s.must('run', '-d', '--name', 'bomb', '--pids-limit', '100', '--cpus', '1', 'busybox', 'sleep', '1000')
    // A shell that cannot fork ends: several of them try again and again for as long as one is left.
    const bomb = 'while true; do sh -c "while true; do sleep 1 & done" & sleep 0.01; done'
    for (let one = 0; one < 3; one += 1) await s.must('exec', '-d', 'bomb', 'sh', '-c', bomb)
    await pause(1500)
    const { pids_stats } = await s.api('GET', '/containers/bomb/stats?stream=0')
    assert.ok(pids_stats.current > 50 && pids_stats.current <= 100, JSON.stringify(pids_stats))
    await s.must('rm', '-f', 'bomb')
  })
})

test('a process that wants all memory is killed by its limit, and that is told', async (t) => {
  await bearable(t, async () => {
    const events = s.spawn('events', '--filter', 'event=oom', '--format', '{{.Action}}')
    const hog = ['-m', '64m', '--memory-swap', '64m', '--name', 'hog', 'busybox', 'tail', '/dev/zero']
    assert.equal((await s.docker('run', ...hog)).code, 137)
    await events.shows(/oom/, 5000)
    events.kill('SIGTERM')
    await events.ended
    assert.equal((await s.inspect('hog')).State.OOMKilled, true)
    await s.must('rm', 'hog')
  })
})

test(`a log of ${FLOOD_MEGABYTES} MB as fast as it can be written keeps to its limit, and nobody else waits`, async (t) => {
  await bearable(t, async () => {
    const log = ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=3']
    const flood = `dd if=/dev/zero bs=1M count=${FLOOD_MEGABYTES} 2>/dev/null | tr '\\0' x | fold -w 100; echo; echo end`
    await s.must('run', '-d', '--name', 'flood', ...log, 'busybox', 'sh', '-c', flood)
    await until('it to end', 280_000, async () => ((await s.inspect('flood')).State.Running ? undefined : true))
    const { LogPath } = await s.inspect('flood')
    const sizes = ['', '.1', '.2', '.3'].map((suffix) => statSync(`${LogPath}${suffix}`, { throwIfNoEntry: false })?.size ?? 0)
    assert.ok(sizes.every((size) => size < 1.2e6) && sizes.at(-1) === 0, JSON.stringify(sizes))
    assert.equal(await s.must('logs', '--tail', '1', 'flood'), 'end')
    await s.must('rm', 'flood')
  })
})

/** Opens without waiting for each; those that the daemon closes are no failure. */
async function openMany(count: number, first: string): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Array.from({ length: 200 }, async () => {
      const socket = connect(s.socketPath)
      socket.on('error', () => undefined)
      sockets.push(socket)
      await new Promise<void>((resolve) => socket.once('connect', () => resolve()).once('close', () => resolve()))
      if (first !== '') socket.write(first)
    })
    await Promise.all(batch)
  }
  return sockets
}

test(`${CONNECTIONS} connections, half of them in the middle of a request's head, keep nobody out`, async (t) => {
  await bearable(t, async () => {
    const idle = await openMany(CONNECTIONS / 2, '')
    const halves = await openMany(CONNECTIONS / 2, 'GET /v1.43/containers/json HTTP/1.1\r\nX-Slow: ')
    for (let round = 0; round < 20; round += 1) assert.equal((await s.status('GET', '/version')).status, 200)
    assert.equal(await s.must('run', '--rm', 'busybox', 'echo', 'in'), 'in')
    for (const socket of [...idle, ...halves]) socket.destroy()
  })
})

/** Asks and then reads nothing of the answer. */
function deafClient(path: string, method = 'GET'): Socket {
  const socket = connect(s.socketPath)
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(`${method} /v1.43${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
  return socket
}

test('clients that read nothing of what they asked for cost no more than their buffers', async (t) => {
  const chatter = 'while true; do head -c 100000 /dev/zero | tr "\\0" y | fold -w 99; done'
  const log = ['--log-opt', 'max-size=1m']
  await s.must('run', '-d', '--name', 'chatter', '--cpus', '0.3', ...log, 'busybox', 'sh', '-c', chatter)
  await s.must('run', '-d', '--name', 'heard', '--cpus', '0.3', ...log, 'busybox', 'sh', '-c', chatter)
  await s.must('run', '--name', 'big', 'busybox', 'sh', '-c', 'head -c 50000000 /dev/zero > /zeroes')
  const beforeBytes = memoryBytesOf(s.pid())
  await bearable(t, async () => {
    const paths = ['/containers/chatter/logs?stdout=1&follow=1', '/events', '/containers/chatter/stats', '/containers/big/export']
    const clients = Array.from({ length: DEAF_CLIENTS }, (_, at) => deafClient(paths[at % paths.length] ?? ''))
    clients.push(deafClient('/containers/chatter/attach?stream=1&stdout=1', 'POST'))
    for (let round = 0; round < (IS_LONG ? 200 : 20); round += 1) {
      await s.must('tag', 'busybox', 'other')
      await s.must('rmi', 'other')
      await pause(20)
    }
    // The one that nobody attached to goes on.
    const lines = await s.must('logs', '--tail', '1', '--timestamps', 'heard')
    assert.ok(Date.now() - Date.parse(lines.split(' ')[0] ?? '') < 5000, lines)
    for (const client of clients) client.destroy()
  })
  t.diagnostic(`memory before ${Math.round(beforeBytes / 1e6)} MB, after ${Math.round(memoryBytesOf(s.pid()) / 1e6)} MB`)
  await s.must('rm', '-f', 'chatter', 'heard', 'big')
  await s.expectNoLeaks()
  assert.doesNotMatch(s.log(), /nobody noticed/)
})
