import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { spawnProgram } from '../support/processes.ts'
import { type Survivor, survivor } from '../kernel/survival-fixture.ts'
import { memoryBytesOf } from '../kernel/survival-traces.ts'
import { type AnswerTime, ownTimes, shown, stopwatch } from './answer-times.ts'
import { apiClient, percentile } from './api-client.ts'
import { beBusy, beBusyByCommand, type Busy } from './busy-client.ts'

const DURATION_MS = Number(process.env['GLOVEBOX_LOAD_SECONDS'] ?? 10) * 1000
const CLIENTS = 47
const COMMAND_LINES = 3
/** Before the load: about 110 MB. */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024
/** Of the daemon's own, on two cores that fifty clients and their containers share. */
const MAX_PING_P99_MS = 1000
/** One answer that takes this long of the daemon's own stands for a daemon that was stuck. */
const MAX_PING_MS = 3000
const INTERVAL_MS = 20

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
})
after(async () => await s.dispose())

test(`${CLIENTS + COMMAND_LINES} clients at the same time get right answers for ${DURATION_MS / 1000} s, and leave nothing`, async (t) => {
  const busy: Busy = { tasks: 0, complaints: [] }
  let isOver = false
  const pings: AnswerTime[] = []
  const watch = stopwatch(s.pid())
  const clients = [
    ...Array.from({ length: CLIENTS }, (_, client) => beBusy(apiClient(s.socketPath), client, () => isOver, busy)),
    ...Array.from({ length: COMMAND_LINES }, (_, client) => beBusyByCommand(s, client, () => isOver, busy)),
  ]
  const pinger = apiClient(s.socketPath)
  let peakBytes = 0
  for (const endMs = performance.now() + DURATION_MS; performance.now() < endMs;) {
    pings.push(await watch.ping(pinger))
    peakBytes = Math.max(peakBytes, memoryBytesOf(s.pid()))
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS))
  }
  const stretch = watch.stretch()
  isOver = true
  await Promise.all(clients)
  pinger.close()
  const taken = pings.map(({ tookMs }) => tookMs)
  const own = ownTimes(pings, stretch)
  t.diagnostic(
    `${busy.tasks} tasks; ping p50, p99 and most: ${shown(taken)} ms, of the daemon's own ${shown(own)} ms (stretched ${stretch.toFixed(1)} times); memory at most ${Math.round(peakBytes / 1e6)} MB`,
  )
  assert.deepEqual(busy.complaints, [])
  assert.ok(busy.tasks >= CLIENTS, `${busy.tasks} tasks were done`)
  assert.ok(percentile(own, 0.99) < MAX_PING_P99_MS, `p99 of ping: ${percentile(own, 0.99)} ms of the daemon's own`)
  assert.ok(percentile(own, 1) < MAX_PING_MS, `slowest ping: ${percentile(own, 1)} ms of the daemon's own`)
  assert.ok(peakBytes < MAX_MEMORY_BYTES, `${peakBytes} bytes`)
  assert.deepEqual(await s.api('GET', '/containers/json?all=1'), [])
  assert.deepEqual((await s.api('GET', '/volumes')).Volumes ?? [], [])
  const networks = (await s.api<{ Name: string }[]>('GET', '/networks')).map(({ Name }) => Name).toSorted()
  assert.deepEqual(networks, ['bridge', 'host', 'none'])
  await s.expectNoLeaks()
  assert.doesNotMatch(s.log(), /nobody noticed| error /)
})

test('a daemon that stands still is found, however busy the machine is', async () => {
  const pinger = apiClient(s.socketPath)
  const [others, stillMs] = [[spawnBusy(), spawnBusy(), spawnBusy()], 500]
  try {
    const watch = stopwatch(s.pid())
    await watch.ping(pinger)
    process.kill(s.pid(), 'SIGSTOP')
    const pinged = watch.ping(pinger)
    await new Promise((resolve) => setTimeout(resolve, stillMs))
    process.kill(s.pid(), 'SIGCONT')
    const { stoodMs } = await pinged
    assert.ok(stoodMs >= stillMs * 0.5, `it stood still for ${stillMs} ms, and ${stoodMs} ms of that were seen`)
  } finally {
    for (const other of others) other.kill('SIGKILL')
    pinger.close()
  }
})

const spawnBusy = () => spawnProgram(process.execPath, ['-e', 'for (;;);'])
