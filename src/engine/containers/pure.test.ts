import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { seededRandom } from '#base'

import { detachFilter, parseDetachKeys } from './detach-keys.ts'
import { afterProbe, probeDelayMs, UNKNOWN_HEALTH } from './health-plan.ts'
import { randomName, readName } from './names.ts'
import { planRestart } from './restart-plan.ts'
import { signalNumber } from './signals.ts'
import { resolveUser } from './users.ts'

const HEALTH = { test: ['CMD', 'true'], intervalMs: 1000, timeoutMs: 500, startPeriodMs: 5000, startIntervalMs: 100, retries: 3 }
const probe = (exitCode: number) => ({ start: 'a', end: 'b', exitCode, output: '' })

test('signals are read as names, with or without SIG, as numbers and as real-time ones', () => {
  assert.equal(signalNumber('TERM'), 15)
  assert.equal(signalNumber('sigkill'), 9)
  assert.equal(signalNumber('9'), 9)
  assert.equal(signalNumber('RTMIN+3'), 37)
  assert.throws(() => signalNumber('FOO'), /Invalid signal: FOO/)
  assert.throws(() => signalNumber('65'), /Invalid signal: 65/)
  assert.throws(() => signalNumber('0'), /Invalid signal: 0/)
})

test('made-up names are valid and avoid the taken ones', () => {
  const taken = new Set<string>()
  const random = seededRandom(1)
  for (let i = 0; i < 2000; i += 1) {
    const name = randomName(random, (candidate) => taken.has(candidate))
    assert.ok(!taken.has(name))
    assert.equal(readName(`/${name}`), name)
    taken.add(name)
  }
})

test('unless-stopped leaves alone what was stopped by hand; on-failure gives up at its maximum', () => {
  const base = { exitCode: 1, isManuallyStopped: false, failures: 0, restartCount: 0 }
  assert.equal(planRestart({ ...base, policy: { name: 'always', maximumRetryCount: 0 } }).restart, true)
  assert.equal(
    planRestart({ ...base, isManuallyStopped: true, policy: { name: 'unless-stopped', maximumRetryCount: 0 } }).restart,
    false,
  )
  assert.equal(planRestart({ ...base, restartCount: 3, policy: { name: 'on-failure', maximumRetryCount: 3 } }).restart, false)
  assert.equal(planRestart({ ...base, exitCode: 0, policy: { name: 'on-failure', maximumRetryCount: 3 } }).restart, false)
})

test('the delay of restarts never shrinks as failures add up, and stays at a minute', () => {
  fc.assert(
    fc.property(fc.nat(40), (failures) => {
      const policy = { name: 'always', maximumRetryCount: 0 } as const
      const at = (n: number) => {
        const plan = planRestart({ policy, exitCode: 1, isManuallyStopped: false, failures: n, restartCount: n })
        return plan.restart ? plan.afterMs : -1
      }
      assert.ok(at(failures) <= at(failures + 1) && at(failures) >= 100 && at(failures) <= 60_000)
    }),
  )
})

test('failures in the start period do not count, and the streak decides after it', () => {
  const starting = afterProbe(HEALTH, UNKNOWN_HEALTH, probe(1), 1000)
  assert.deepEqual([starting.status, starting.failingStreak], ['starting', 0])
  let health = afterProbe(HEALTH, starting, probe(0), 2000)
  assert.equal(health.status, 'healthy')
  for (let i = 0; i < 2; i += 1) health = afterProbe(HEALTH, health, probe(1), 9000)
  assert.equal(health.status, 'healthy')
  assert.equal(afterProbe(HEALTH, health, probe(1), 9000).status, 'unhealthy')
  assert.equal(probeDelayMs(HEALTH, UNKNOWN_HEALTH, 0), 100)
  assert.equal(probeDelayMs(HEALTH, health, 0), 1000)
})

test('the health log keeps the last five probes', () => {
  let health = UNKNOWN_HEALTH
  for (let i = 0; i < 9; i += 1) health = afterProbe(HEALTH, health, probe(i), 0)
  assert.deepEqual(
    health.log.map((entry) => entry.exitCode),
    [4, 5, 6, 7, 8],
  )
})

const FILES = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n',
  group: 'root:x:0:\nweb:x:1000:\nlog:x:50:web,other\n',
}

test('users are found by name and number with their groups', () => {
  assert.deepEqual(resolveUser('web', [], FILES), { uid: 1000, gid: 1000, additionalGids: [50], home: '/home/web' })
  assert.deepEqual(resolveUser('1000', ['log'], FILES).additionalGids, [50])
  assert.deepEqual(resolveUser('', [], FILES), { uid: 0, gid: 0, additionalGids: [], home: '/root' })
  assert.deepEqual(resolveUser('4242:log', [], FILES), { uid: 4242, gid: 50, additionalGids: [], home: '/' })
})

test('unknown names and ids that would wrap to root are refused', () => {
  for (const user of ['nobody', '4294967296', '2147483648', '-1', 'web:nogroup'])
    assert.throws(() => resolveUser(user, [], FILES), /unable to find|uids and gids must be in range/)
})

test('detach keys are noticed across writes, and what only began like them is passed on', () => {
  const filter = detachFilter(parseDetachKeys(''))
  assert.deepEqual(filter(Buffer.from([0x61, 0x10])), { pass: Buffer.from('a'), isDetached: false })
  assert.deepEqual(filter(Buffer.from([0x62])), { pass: Buffer.from([0x10, 0x62]), isDetached: false })
  filter(Buffer.from([0x10]))
  assert.equal(filter(Buffer.from([0x11])).isDetached, true)
})
