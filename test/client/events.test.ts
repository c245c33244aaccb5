import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'
import { send, type Answer } from './api/exam.ts'
import { hijack } from './api/hijack.ts'
import { tarOf } from './api/tar.ts'

interface ApiEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly time: number
  readonly timeNano: number
}

describe('events', () => {
  let daemon: TestDaemon
  const api = (method: string, path: string, json?: unknown): Promise<Answer> =>
    send(daemon.socketPath, method, path, json === undefined ? {} : { json })
  const must = async (method: string, path: string, json?: unknown): Promise<any> => {
    const answer = await api(method, path, json)
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.bytes.toString()}`)
    return answer.json
  }
  const eventsOf = async (query: Readonly<Record<string, string>>): Promise<readonly ApiEvent[]> =>
    (await api('GET', `/events?${new URLSearchParams({ since: '1', until: '0s', ...query }).toString()}`)).lines
  const filtered = (filters: Readonly<Record<string, readonly string[]>>) => eventsOf({ filters: JSON.stringify(filters) })
  const named = (events: readonly ApiEvent[]) => [...new Set(events.map(({ Type, Action }) => `${Type} ${Action}`))]

  before(async () => {
    daemon = await startDaemon()
    const bytes = readFileSync(await busyboxTar(daemon.directory))
    await send(daemon.socketPath, 'POST', '/images/create?fromSrc=-&repo=busybox&changes=ENV%20PATH%3D/bin', { bytes })
    await live()
  })
  after(async () => await daemon.stop())

  /** Everything that can happen to a container, an image, a network and a volume. */
  async function live(): Promise<void> {
    await must('POST', '/volumes/create', { Name: 'kept' })
    await must('POST', '/networks/create', { Name: 'net' })
    const Healthcheck = { Test: ['CMD', 'true'], Interval: 1e8, Timeout: 1e9 }
    const HostConfig = { Binds: ['kept:/kept'] }
    const spec = {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'trap exit TERM; while :; do sleep 0.05; done'],
      Tty: true,
      OpenStdin: true,
    }
    await must('POST', '/containers/create?name=box', { ...spec, Healthcheck, HostConfig, Labels: { 'of.exam': 'yes' } })
    await must('POST', '/containers/box/start')
    // A terminal, and the keys that leave it.
    const leave = async (path: string, json?: unknown) => {
      const { socket, ended } = await hijack(daemon.socketPath, { path, json, isUpgrade: true })
      socket.write('\u0010\u0011')
      await ended
      socket.destroy()
    }
    await leave('/containers/box/attach?stream=1&stdin=1&stdout=1')
    const terminal = { Cmd: ['sleep', '0.2'], Tty: true, AttachStdin: true, AttachStdout: true }
    await leave(`/exec/${(await must('POST', '/containers/box/exec', terminal)).Id}/start`, { Tty: true })
    await must('POST', '/containers/box/resize?h=10&w=20')
    await must('POST', '/containers/box/pause')
    await must('POST', '/containers/box/unpause')
    await must('GET', '/containers/box/top')
    await must('GET', '/containers/box/export')
    await must('POST', '/containers/box/update', { RestartPolicy: { Name: 'no' } })
    await must('POST', '/containers/box/rename?name=crate')
    await must('GET', '/containers/crate/archive?path=/etc/passwd')
    await send(daemon.socketPath, 'PUT', '/containers/crate/archive?path=/tmp', { bytes: await tarOf({ f: 'x' }) })
    await must('POST', '/networks/net/connect', { Container: 'crate' })
    await must('POST', '/networks/net/disconnect', { Container: 'crate' })
    await must('POST', '/containers/crate/restart?t=2')
    await must('POST', '/commit?container=crate&repo=committed', { Cmd: ['of the body'], Env: ['NEW=a "b" $c'] })
    await must('POST', '/containers/crate/stop?t=2')
    await must('POST', '/containers/crate/start')
    await must('POST', '/containers/crate/kill')
    await must('POST', '/containers/crate/wait')
    await must('DELETE', '/containers/crate')
    await must('POST', '/images/committed/tag?repo=tagged')
    const { bytes } = await api('GET', '/images/tagged/get')
    await must('DELETE', '/images/tagged')
    await must('DELETE', '/images/committed')
    await send(daemon.socketPath, 'POST', '/images/load', { bytes })
    await must('DELETE', '/volumes/kept')
    await must('DELETE', '/networks/net')
    for (const kind of ['containers', 'images', 'networks', 'volumes', 'build']) await must('POST', `/${kind}/prune`)
  }

  test('tell of everything that happens', async () => {
    const seen = named(await eventsOf({}))
    const wanted = {
      container:
        'create start attach detach exec_detach exec_die pause unpause top export update rename archive-path extract-to-dir restart commit stop kill die resize destroy prune',
      image: 'import tag save untag delete load prune',
      network: 'create connect disconnect destroy prune',
      volume: 'create mount unmount destroy prune',
      builder: 'prune',
    }
    const missing = Object.entries(wanted).flatMap(([type, actions]) =>
      actions
        .split(' ')
        .map((action) => `${type} ${action}`)
        .filter((name) => !seen.includes(name)),
    )
    assert.deepEqual(missing, [])
    for (const begin of ['container exec_create: ', 'container exec_start: ', 'container health_status: healthy'])
      assert.ok(
        seen.some((name) => name.startsWith(begin)),
        begin,
      )
  })

  test('what was done to a container comes in its order, with what it is called at the time', async () => {
    const all = await filtered({
      type: ['container'],
      label: ['of.exam=yes'],
      event: ['create', 'rename', 'kill', 'die', 'destroy'],
    })
    const words = all.map(({ Action }) => Action)
    assert.deepEqual([words[0], words[1], words.at(-1)], ['create', 'rename', 'destroy'])
    const [first, second] = all
    assert.deepEqual([first?.Actor.Attributes['name'], second?.Actor.Attributes['name']], ['box', 'crate'])
    assert.equal(second?.Actor.Attributes['oldName'], '/box')
    const last = all.findLast(({ Action }) => Action === 'die')
    assert.equal(last?.Actor.Attributes['exitCode'], '137')
  })

  test('are filtered by each name there is, and an unknown one is refused', async () => {
    const some = (type: string, action: string) => (events: readonly ApiEvent[]) =>
      assert.ok(
        events.length > 0 && named(events).every((name) => name.startsWith(`${type} ${action}`)),
        `${type} ${action}: ${named(events).join(', ')}`,
      )
    some('volume', '')(await filtered({ type: ['volume'] }))
    some('container', 'start')(await filtered({ event: ['start'] }))
    some('container', 'exec_start')(await filtered({ event: ['exec_start'] }))
    some('container', '')(await filtered({ container: ['crate'] }))
    some('volume', '')(await filtered({ volume: ['kept'] }))
    some('network', '')(await filtered({ network: ['net'] }))
    some('container', '')(await filtered({ type: ['container'], label: ['of.exam'] }))
    some('image', 'untag')(await filtered({ event: ['untag'] }))
    const ofImage = named(await filtered({ image: ['busybox'] }))
    assert.ok(ofImage.includes('container start') && ofImage.every((name) => /^(container|image) /.test(name)))
    assert.deepEqual(await filtered({ scope: ['swarm'] }), [])
    assert.ok((await filtered({ scope: ['local'] })).length > 20)
    assert.deepEqual(await filtered({ daemon: ['nobody'] }), [])
    const both = named(await filtered({ type: ['volume', 'network'], event: ['create'] }))
    assert.deepEqual(both.toSorted(), ['network create', 'volume create'])
    const old = await eventsOf({ filters: '{"event":{"create":true},"type":{"volume":true}}' })
    some('volume', 'create')(old)
    const unknown = await api('GET', '/events?until=1&filters={"nope":["x"]}')
    assert.deepEqual([unknown.status, unknown.json.message], [400, "invalid filter 'nope'"])
  })

  test('begin and end where they are asked to, in every way to write a time', async () => {
    const all = await eventsOf({})
    const middle = all[Math.floor(all.length / 2)]
    assert.ok(middle !== undefined)
    const seconds = `${middle.time}.${String(BigInt(middle.timeNano) % 1_000_000_000n).padStart(9, '0')}`
    const since = await eventsOf({ since: seconds })
    assert.ok(since.length < all.length && since.every(({ time }) => time >= middle.time))
    const until = await eventsOf({ until: seconds })
    assert.ok(until.length > 0 && until.every(({ time }) => time <= middle.time))
    const date = new Date(middle.time * 1000).toISOString()
    const wholeSeconds = await eventsOf({ since: String(middle.time) })
    assert.equal((await eventsOf({ since: date })).length, wholeSeconds.length)
    assert.equal((await eventsOf({ since: '1h' })).length, all.length)
    assert.deepEqual(await eventsOf({ since: '0s' }), [])
    const wrong = await api('GET', '/events?since=2&until=1')
    assert.deepEqual([wrong.status, wrong.json.message], [400, '`since` time (2) cannot be after `until` time (1)'])
    assert.equal((await api('GET', '/events?since=yesterday&until=1')).status, 400)
  })

  test('carry the older form beside the new one', async () => {
    const [event] = await filtered({ type: ['container'], event: ['start'] })
    const old = event as unknown as { readonly status: string; readonly id: string; readonly from: string }
    assert.deepEqual([old.status, old.id, old.from], ['start', event?.Actor.ID, 'busybox'])
  })
})
