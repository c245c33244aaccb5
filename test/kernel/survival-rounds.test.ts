import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'

import { until } from '../support/processes.ts'
import { type Survivor, survivor } from './survival-fixture.ts'

/** Rounds of killing at a random moment. A nightly run takes more. */
const ROUNDS = Number(process.env['GLOVEBOX_SURVIVAL_ROUNDS'] ?? 20)
/** A daemon that has just started is busy with the last round's remains; later than this it is idle. */
const MAX_LIFE_MS = 400
const CLIENTS = 4

let s: Survivor

before(async () => {
  s = await survivor()
  await s.start()
  await s.importImage()
})
after(async () => await s.dispose())

/** Runs, looks into, stops and removes until the daemon is gone. Whatever fails while it lives is told. */
async function beBusy(client: number, isOver: () => boolean, complaints: string[]): Promise<void> {
  for (let turn = 0; !isOver(); turn += 1) {
    const name = `busy-${client}-${turn}-${randomInt(1e9)}`
    try {
      const body = {
        Image: 'busybox',
        Cmd: turn % 3 === 0 ? ['true'] : ['sleep', '1000'],
        HostConfig: {
          AutoRemove: turn % 4 === 0,
          PortBindings: turn % 2 === 0 ? { '80/tcp': [{ HostIp: '127.0.0.1' }] } : {},
          Binds: [],
          Mounts: turn % 3 === 1 ? [{ Type: 'volume', Target: '/data' }] : [],
        },
      }
      const { Id } = await s.api<{ Id: string }>('POST', `/containers/create?name=${name}`, body)
      await s.api('POST', `/containers/${Id}/start`)
      if (turn % 3 !== 0) {
        const { Id: execId } = await s.api<{ Id: string }>('POST', `/containers/${Id}/exec`, { Cmd: ['true'] })
        await s.api('POST', `/exec/${execId}/start`, { Detach: true })
        await s.api('POST', `/containers/${Id}/stop?t=0`)
      }
      if (turn % 4 !== 0) await s.api('DELETE', `/containers/${Id}?force=1&v=1`)
    } catch (error) {
      const text = String(error)
      // A client of a daemon that dies sees its connection end.
      if (!/ECONN|socket hang up|ENOENT|EPIPE|aborted/.test(text) && !isOver()) complaints.push(text)
    }
  }
}

test(`killed at ${ROUNDS} random moments while it is busy, it comes back with what ran and leaks nothing`, async () => {
  await s.must(
    'run',
    '-d',
    '--name',
    'steady',
    '--restart',
    'always',
    'busybox',
    'sh',
    '-c',
    'i=0; while true; do i=$((i+1)); echo $i; usleep 20000; done',
  )
  const { State: steady } = await s.inspect('steady')
  for (let round = 0; round < ROUNDS; round += 1) {
    let isOver = false
    const complaints: string[] = []
    const clients = Array.from({ length: CLIENTS }, (_, client) => beBusy(client, () => isOver, complaints))
    await new Promise((resolve) => setTimeout(resolve, randomInt(MAX_LIFE_MS)))
    const dying = s.kill()
    isOver = true
    await dying
    await Promise.all(clients)
    await s.start()
    assert.deepEqual(complaints, [], `round ${round}`)
    assert.equal((await s.inspect('steady')).State.Pid, steady.Pid, `round ${round}`)
    await s.expectNoLeaks()
    const left = (await s.must('ps', '-aq', '--filter', 'name=busy-')).split('\n').filter(Boolean)
    if (left.length > 0) await s.must('rm', '-f', '-v', ...left)
    await s.expectNoLeaks()
    assert.equal(await s.must('volume', 'ls', '-q'), '', `round ${round}: volumes that nobody asked for`)
  }
  const lines = (await s.must('logs', 'steady')).split('\n').map(Number)
  assert.deepEqual(
    lines,
    lines.map((_, index) => index + 1),
  )
  await s.must('rm', '-f', 'steady')
  await s.expectNoLeaks()
})

test('what a call answered holds when the daemon is killed right after it', async () => {
  const state = async (ref: string) => {
    const { status, text } = await s.status('GET', `/containers/${ref}/json`)
    return status === 404 ? 'gone' : String(JSON.parse(text).State.Status)
  }
  const create = async (name: string, host: object = {}) =>
    await s.api('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: host })
  const calls: readonly (readonly [what: string, wanted: string, call: () => Promise<unknown>])[] = [
    ['create', 'created', async () => await create('one', { RestartPolicy: { Name: 'unless-stopped' } })],
    ['start', 'running', async () => await s.api('POST', '/containers/one/start')],
    ['pause', 'paused', async () => await s.api('POST', '/containers/one/pause')],
    ['unpause', 'running', async () => await s.api('POST', '/containers/one/unpause')],
    ['restart', 'running', async () => await s.api('POST', '/containers/one/restart?t=0')],
    ['stop', 'exited', async () => await s.api('POST', '/containers/one/stop?t=0')],
    ['start again', 'running', async () => await s.api('POST', '/containers/one/start')],
    ['kill', 'exited', async () => await s.api('POST', '/containers/one/kill')],
    ['remove', 'gone', async () => await s.api('DELETE', '/containers/one')],
  ]
  for (const [what, wanted, call] of calls) {
    await call()
    await s.kill()
    await s.start()
    await until(`${wanted} after ${what}`, 3000, async () => {
      const seen = await state('one')
      if (seen !== wanted) throw new Error(`it is ${seen}`)
      return true
    })
    await s.expectNoLeaks()
  }
})
