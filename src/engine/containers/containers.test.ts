import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { RestartSpec } from './spec.ts'
import { rig } from './test-rig.ts'

const always: RestartSpec = { name: 'always', maximumRetryCount: 0 }
const NOW = { signal: null, timeoutS: 0 }

test('a container runs, ends with its exit code and leaves nothing in the kernel', async (t) => {
  const { containers, spec, process, quiet, seen } = await rig(t)
  const { id } = await containers.create(spec(), 'web')
  assert.equal(containers.get('web').status.state, 'created')
  assert.equal(await containers.start('web'), true)
  assert.equal(await containers.start('web'), false)
  const { status } = containers.get('web')
  assert.deepEqual([status.state, status.pid], ['running', process(id).running.pid])
  const { done } = await containers.wait('web', 'not-running')
  process(id).exit(7)
  assert.deepEqual(await done, { exitCode: 7, error: '' })
  await quiet(id)
  assert.deepEqual([containers.get('web').status.state, containers.get('web').status.exitCode], ['exited', 7])
  assert.deepEqual(
    seen.filter((event) => event.startsWith('container')),
    ['container create', 'container start', 'container die'],
  )
})

test('who attaches to a container that has just ended finds its output at its end', async (t) => {
  const { containers, spec, runtime } = await rig(t)
  const { id } = await containers.create(spec(), null)
  await containers.start(id)
  const options = { stdin: false, stdout: true, stderr: true, stream: true, logs: false, detachKeys: '' }
  const [process] = runtime.processes.values()
  process?.exit(0)
  const { output } = await containers.attach(id, options)
  assert.deepEqual(await output.toArray(), [])
})

test('a name is given once, comes back with the removal, and survives a creation that fails', async (t) => {
  const { containers, spec, failNext, homes } = await rig(t)
  await containers.create(spec(), 'web')
  await assert.rejects(containers.create(spec(), 'web'), { code: 'container.name_in_use' })
  await containers.remove('web', { force: false, volumes: false })
  failNext('container.put')
  await assert.rejects(containers.create(spec(), 'web'), /planned failure/)
  assert.deepEqual(homes(), [])
  await containers.create(spec(), 'web')
  const results = await Promise.allSettled(Array.from({ length: 10 }, async () => await containers.create(spec(), 'one')))
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1)
})

const STEPS = [
  'snapshots.mountContainer',
  'networks.sandboxCreate',
  'networks.attach',
  'networks.publish',
  'networks.identityFiles',
  'runtime.start',
  'container.note',
]

test('a start that fails at any step, once or again, leaves nothing, tells why, and works when the cause is gone', async (t) => {
  const { containers, spec, failNext, remains, host, quiet } = await rig(t)
  const network = {
    ...spec().network,
    mode: 'bridge',
    endpoints: { bridge: { aliases: [], ipv4Address: null, ipv6Address: null, macAddress: null } },
    portBindings: [{ containerPort: 80, protocol: 'tcp' as const, hostIp: '127.0.0.1', hostPort: null }],
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { maxLength: 4 }), async (steps) => {
      const { id } = await containers.create(spec({ network }), null)
      for (const step of steps) {
        failNext(step)
        if (step === 'runtime.start') host.cgroups.put(`/glovebox/unit/${id}`, [])
        await assert.rejects(containers.start(id), (error: Error) => error.message.includes(`planned failure of ${step}`))
        await quiet(id)
        const { status } = containers.get(id)
        assert.deepEqual([remains(id), status.pid, status.ports, status.endpoints], [[], 0, [], {}], step)
        assert.ok(['created', 'exited'].includes(status.state), status.state)
      }
      assert.equal(await containers.start(id), true)
      assert.equal(containers.get(id).status.ports.length, 1)
      await containers.remove(id, { force: true, volumes: true })
      assert.deepEqual(remains(id), [])
    }),
    { numRuns: 40 },
  )
})

test('a restart policy starts it again later and later, until somebody stops it', async (t) => {
  const { containers, spec, process, clock, settle, quiet } = await rig(t)
  const { id } = await containers.create(spec({ restart: always }), 'web')
  await containers.start('web')
  for (const [round, delayMs] of [100, 200, 400, 800].entries()) {
    process(id).exit(1)
    await quiet(id)
    assert.equal(containers.get('web').status.state, 'restarting')
    await clock.advance(delayMs - 1)
    assert.equal(containers.get('web').status.restartCount, round)
    await clock.advance(1)
    await settle()
    assert.deepEqual([containers.get('web').status.state, containers.get('web').status.restartCount], ['running', round + 1])
  }
  process(id).exit(1)
  await quiet(id)
  assert.equal(await containers.stop('web', NOW), true)
  await clock.advance(100_000)
  assert.equal(containers.get('web').status.state, 'exited')
})

test('a container that is stopped by hand stays stopped, by unless-stopped even for the next daemon', async (t) => {
  const { containers, again, spec, clock } = await rig(t)
  for (const name of ['always', 'unless-stopped'] as const) {
    await containers.create(spec({ restart: { name, maximumRetryCount: 0 } }), name)
    await containers.start(name)
    const stopping = containers.stop(name, NOW)
    await clock.advance(1)
    await stopping
    await clock.advance(100_000)
    assert.deepEqual([containers.get(name).status.state, containers.get(name).status.isManuallyStopped], ['exited', true])
  }
  const next = await again()
  assert.equal(next.get('always').status.state, 'running')
  assert.equal(next.get('unless-stopped').status.state, 'exited')
})

test('an end that was wanted is known for wanted by a daemon that was not there to see it', async (t) => {
  const { containers, again, spec, process, clock } = await rig(t)
  const { id } = await containers.create(spec({ restart: { name: 'unless-stopped', maximumRetryCount: 0 } }), 'web')
  await containers.start('web')
  void containers.stop('web', { signal: null, timeoutS: 10 }).catch(() => undefined)
  await clock.advance(1)
  const opening = again()
  process(id).exit(0)
  const next = await opening
  await clock.advance(100_000)
  assert.equal(next.get('web').status.state, 'exited')
})

test('containers that the end of the daemon stopped are started by the next one as their policy says', async (t) => {
  const { containers, again, spec, clock } = await rig(t)
  await containers.create(spec({ restart: { name: 'unless-stopped', maximumRetryCount: 0 }, stopTimeoutS: 0 }), 'kept')
  await containers.create(spec({ stopTimeoutS: 0 }), 'once')
  for (const name of ['kept', 'once']) await containers.start(name)
  const stopping = containers.stopAll()
  await clock.advance(1)
  await stopping
  assert.deepEqual(
    containers.list().map(({ status }) => status.state),
    ['exited', 'exited'],
  )
  const next = await again()
  assert.deepEqual([next.get('kept').status.state, next.get('once').status.state], ['running', 'exited'])
})

test('the next daemon takes over what runs, books what ended and removes what was to be removed', async (t) => {
  const { containers, again, spec, process, settle, quiet } = await rig(t)
  const ids = new Map<string, string>()
  for (const name of ['runs', 'ended', 'passing']) {
    ids.set(name, (await containers.create(spec({ shouldAutoRemove: name === 'passing' }), name)).id)
    await containers.start(name)
  }
  const pid = containers.get('runs').status.pid
  const opening = again()
  process(ids.get('ended') ?? '').exit(9)
  process(ids.get('passing') ?? '').exit(0)
  const next = await opening
  await settle()
  assert.deepEqual([next.get('runs').status.state, next.get('runs').status.pid], ['running', pid])
  assert.deepEqual([next.get('ended').status.state, next.get('ended').status.exitCode], ['exited', 9])
  assert.throws(() => next.get('passing'), { code: 'container.not_found' })
  const { done } = await next.wait('runs', 'next-exit')
  process(ids.get('runs') ?? '').exit(3)
  assert.equal((await done)?.exitCode, 3)
  for (const id of ids.values()) await quiet(id)
})

test('an end that cannot be written down is tried again until it can', async (t) => {
  const { containers, spec, process, failNext, clock, settle, quiet } = await rig(t)
  const { id } = await containers.create(spec(), 'web')
  await containers.start('web')
  failNext('container.note')
  process(id).exit(4)
  await settle()
  assert.equal(containers.get('web').status.state, 'running')
  await clock.advance(3000)
  await quiet(id)
  assert.deepEqual([containers.get('web').status.state, containers.get('web').status.exitCode], ['exited', 4])
})

test('cleaning up goes on past a step that fails, and whoever waits is told', async (t) => {
  const { containers, spec, process, failNext, settle, remains } = await rig(t)
  const { id } = await containers.create(spec(), 'web')
  await containers.start('web')
  failNext('snapshots.unmountContainer')
  const { done } = await containers.wait('web', 'not-running')
  process(id).exit(0)
  assert.equal((await done)?.exitCode, 0)
  await settle()
  assert.deepEqual(remains(id), ['mounted root'])
  await containers.remove('web', { force: false, volumes: false })
  assert.deepEqual(remains(id), [])
})

test('a running or restarting container is removed by force only, and then for good', async (t) => {
  const { containers, spec, process, clock, settle } = await rig(t)
  const { id } = await containers.create(spec({ restart: always }), 'web')
  await containers.start('web')
  await assert.rejects(containers.remove('web', { force: false, volumes: false }), { code: 'container.running' })
  process(id).exit(1)
  await settle()
  await assert.rejects(containers.remove('web', { force: false, volumes: false }), { code: 'container.running' })
  const { done } = await containers.wait('web', 'removed')
  // The restart falls due while the removal is on its way.
  await Promise.all([clock.advance(100), containers.remove('web', { force: true, volumes: false })])
  await done
  assert.deepEqual(containers.list(), [])
  await clock.advance(100_000)
  assert.deepEqual(containers.list(), [])
})

test('anonymous volumes go with their container, whatever moment the daemon died at', async (t) => {
  const { containers, again, spec, failNext, seen } = await rig(t)
  const anonymous = {
    type: 'volume',
    name: '',
    target: '/data',
    isReadOnly: false,
    isNoCopy: true,
    subpath: '',
    driver: 'local',
    driverOptions: {},
    labels: {},
    isAnonymous: true,
  } as const
  const volumes = () =>
    seen.filter((event) => event === 'volume create').length - seen.filter((event) => event === 'volume destroy').length
  await containers.create(spec({ mounts: [anonymous] }), 'web')
  assert.equal(volumes(), 1)
  failNext('volumes.remove')
  await containers.remove('web', { force: false, volumes: true })
  assert.equal(volumes(), 1)
  await again()
  assert.equal(volumes(), 0)
})

/** Virtual milliseconds, each with some trips to the disk: far more than anything takes that is not stuck. */
const MAX_TICKS = 1000

type Call = 'start' | 'stop' | 'kill' | 'exit' | 'restart' | 'remove' | 'wait' | 'time' | 'daemon'
const CALLS: readonly Call[] = ['start', 'stop', 'kill', 'exit', 'restart', 'remove', 'wait', 'time', 'daemon']

test('whatever is asked of one container at once and in whatever order, it ends in one state with nothing left over', async (t) => {
  const r = await rig(t)
  let { containers } = r
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.constantFrom(...CALLS), { maxLength: 5 }), { maxLength: 6 }),
      fc.boolean(),
      async (turns, isAlways) => {
        const { id } = await containers.create(
          r.spec({ restart: isAlways ? always : { name: 'no', maximumRetryCount: 0 } }),
          null,
        )
        const act: Record<Call, () => Promise<unknown>> = {
          start: async () => await containers.start(id),
          stop: async () => await containers.stop(id, NOW),
          kill: async () => await containers.kill(id, 'KILL'),
          restart: async () => await containers.restart(id, NOW),
          remove: async () => await containers.remove(id, { force: true, volumes: true }),
          wait: async () => void (await containers.wait(id, 'not-running')),
          time: async () => await Promise.resolve(),
          exit: async () => await Promise.resolve(containers.get(id).status.pid === 0 ? undefined : r.process(id).exit(1)),
          daemon: async () => await Promise.resolve(),
        }
        for (const turn of turns) {
          if (turn.includes('daemon')) containers = await r.again()
          const calls = turn.map(
            async (call) =>
              await act[call]().catch((error: { code?: string }) => assert.match(String(error.code), /^container\./)),
          )
          const isDone = { yes: false }
          const all = Promise.all(calls).then(() => (isDone.yes = true))
          for (let ticks = 0; ticks < MAX_TICKS && !isDone.yes; ticks += 1) {
            await r.clock.advance(turn.includes('time') ? 200 : 1)
            await r.settle()
          }
          assert.ok(isDone.yes, `${turn.join(', ')} at once: not all of them ended`)
          await all
          await r.settle()
        }
        const found = containers.list().find((record) => record.id === id)
        const isRunning = found?.status.state === 'running'
        assert.ok(found === undefined || ['created', 'running', 'restarting', 'exited'].includes(found.status.state))
        if (!isRunning) await r.quiet(id)
        if (isRunning) assert.equal(r.process(id).running.pid, found.status.pid)
        if (found !== undefined) await containers.remove(id, { force: true, volumes: true })
        await r.quiet(id)
        assert.ok(!r.homes().includes(id))
      },
    ),
    { numRuns: 60 },
  )
})
