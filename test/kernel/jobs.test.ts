import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'

import type { JobView, RunView } from '#api/glovebox'
import { silentLog, systemClock, systemRandom } from '#base'
import { keyOf, type ScheduleRecord } from '#cluster/model'
import { openMirror, openServices, SERVICE_PREFIXES } from '#cluster/services'
import { readCompose } from '#cluster/spec'
import { openSqliteStore } from '#cluster/store'

import { busyboxImage, startTestDaemon, type TestDaemon, untilTrue } from './daemon-fixture.ts'

const CLI = join(import.meta.dirname, '../../build/cli.cjs')
const PATIENCE_MS = 20_000
const MINUTE_MS = 60_000
const MARK = 'gb-rotation-9f2e-in-memory-only'
/** Of a run that lasts until somebody says that it may end. */
const HELD = ['sh', '-c', 'while [ ! -e /tmp/go ]; do usleep 50000; done']

describe('jobs and rotations of a whole daemon', { timeout: 120_000 }, () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.importImage('box:1', busyboxImage())
    await daemon.call('POST', '/swarm/init', { ListenAddr: '127.0.0.1:2377' })
  })
  after(async () => await daemon.dispose())

  const cli = (words: readonly string[], input = '') =>
    spawnSync(process.execPath, [CLI, '--socket', daemon.client.socketPath, '--no-install', ...words], {
      input,
      encoding: 'utf8',
      timeout: PATIENCE_MS,
    })
  const must = (...words: readonly string[]) => {
    const { status, stdout, stderr } = cli(words)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }
  const create = async (
    name: string,
    command: readonly string[],
    mode: Readonly<Record<string, object>>,
    container: object = {},
  ) =>
    await daemon.call('POST', '/services/create', {
      Name: name,
      TaskTemplate: {
        ContainerSpec: { Image: 'box:1', Command: command, StopGracePeriod: 1, ...container },
        RestartPolicy: { Condition: mode.Replicated === undefined ? 'none' : 'any' },
      },
      Mode: mode,
      UpdateConfig: { Monitor: 1_000_000, Parallelism: 1 },
    })
  const jobs = () => daemon.client.jobs
  const ended = async (job: string, run: string): Promise<RunView> => {
    let view: RunView | undefined
    await untilTrue(PATIENCE_MS, async () => {
      view = (await jobs().history(job)).find(({ name }) => name === run)
      return view !== undefined && view.state !== 'running'
    })
    return view!
  }

  test('a job is run by hand, its output and its exit code are those of the command line', async () => {
    await create('report', ['sh', '-c', 'echo out; echo err >&2; exit 3'], { ReplicatedJob: { TotalCompletions: 1 } })
    assert.equal((await ended('report', 'r1')).exitCode, 3)
    const { status, stdout, stderr } = cli(['jobs', 'run', '--wait', 'report'])
    assert.deepEqual([status, stdout], [3, 'out\n'])
    assert.match(stderr, /^err\nrun m[0-9a-f]{8} of report failed: slot 1 failed once: .*3/)
    assert.match(must('jobs', 'logs', 'report', 'r1'), /^out\n$/)
    assert.match(must('jobs', 'ls'), /^report +once +failed with 3, /m)
    assert.match(must('jobs', 'history', 'report'), /manual .* 1 +failed +3 +slot 1 failed once/)
    assert.equal(cli(['jobs', 'suspend', 'report']).status, 1)
  })

  test('one that is cancelled ends its tasks, and a run beside it is refused', async () => {
    await create('held', HELD, { ReplicatedJob: { TotalCompletions: 1 } })
    await untilTrue(PATIENCE_MS, async () => (await jobs().history('held'))[0]?.tasks[0]?.state === 'running')
    assert.match(cli(['jobs', 'run', 'held']).stderr, /run r1 of the job held is under way/i)
    must('jobs', 'cancel', 'held', 'r1')
    await untilTrue(PATIENCE_MS, async () => (await jobs().inspect('held')).underWay.length === 0)
    assert.deepEqual(
      (await jobs().history('held')).map(({ state, reason }) => [state, reason]),
      [['cancelled', 'cancelled by hand']],
    )
  })

  test('what was due while the daemon was killed is run once or counted as missed, as each schedule says, and never twice', async () => {
    await daemon.kill()
    const nowMs = await writeSchedules(join(daemon.root, 'cluster.db'))
    await daemon.launch()
    // Killed again in the middle of what it makes up for.
    await untilTrue(PATIENCE_MS, async () => (await jobs().history('made-up'))[0]?.tasks[0]?.state === 'running')
    const [before] = await jobs().history('made-up')
    await daemon.kill()
    await daemon.launch()
    const minutes = (view: JobView) => {
      const last = view.last?.dueAtMs
      return [view.missed, last === undefined ? null : Math.floor(last / MINUTE_MS)]
    }
    const thisMinute = Math.floor(nowMs / MINUTE_MS)
    const [madeUp, missed] = await Promise.all(['made-up', 'left-out'].map(async (name) => await jobs().inspect(name)))
    // A minute may have begun in between: then that is due as well, and skipped beside the run that is held.
    const passed = Math.floor(systemClock().nowMs() / MINUTE_MS) - thisMinute
    assert.deepEqual(minutes(madeUp!), [4, thisMinute])
    assert.equal(madeUp!.skipped, passed)
    assert.ok([5, 5 + passed].includes(missed!.missed), `${missed!.missed} missed`)
    assert.equal(missed!.last?.dueAtMs ?? null, passed === 0 ? null : missed!.last?.dueAtMs)
    const [after, ...others] = await jobs().history('made-up')
    assert.deepEqual(
      [after?.id, after?.tasks.map(({ containerId }) => containerId), others],
      [before?.id, before?.tasks.map(({ containerId }) => containerId), []],
    )
    await daemon.exec(after!.tasks[0]!.containerId!, ['touch', '/tmp/go'])
    assert.deepEqual([(await ended('made-up', after!.name)).state, after!.attempts], ['succeeded', 1])
    must('jobs', 'suspend', 'made-up', 'left-out')
    assert.match(must('jobs', 'ls'), /^made-up +\* \* \* \* \* +suspended by hand +succeeded /m)
  })

  test('a service gets the new value of its secret by itself, in memory and nowhere else, and the old one when it goes back', async () => {
    must('config', 'create', 'conf', join(import.meta.dirname, '../../LICENSE'))
    assert.equal(cli(['secret', 'create', 'password'], `${MARK} one`).status, 0)
    const { ID } = await daemon.client.secrets.inspect('secret', 'password').then(({ id }) => ({ ID: id }))
    const file = { Name: 'password', UID: '0', GID: '0', Mode: 0o400 }
    await create(
      'app',
      ['sleep', '1000'],
      { Replicated: { Replicas: 1 } },
      { Secrets: [{ SecretID: ID, SecretName: 'password', File: file }] },
    )
    const values = async () => {
      const running = (await daemon.client.containers.list({ all: false })).filter(
        ({ Labels }) => Labels?.['com.docker.swarm.service.name'] === 'app',
      )
      return (
        await Promise.all(running.map(async ({ Id }) => (await daemon.exec(Id, ['cat', '/run/secrets/password'])).output))
      ).toSorted()
    }
    const reaches = async (value: string) =>
      await untilTrue(PATIENCE_MS, async () => {
        const now = await values().catch(() => [])
        return now.length === 1 && now[0] === `${MARK} ${value}`
      })
    await reaches('one')
    const { stdout } = cli(['secret', 'rotate', 'password'], `${MARK} two`)
    assert.equal(stdout, 'password version 2\nnew tasks: app\n')
    await reaches('two')
    assert.deepEqual(everywhere(daemon), [])
    // Going back brings the value of before, and nobody rolls it forward again.
    const [service] = await daemon.call<{ ID: string; Version: { Index: number } }[]>('GET', '/services?filters={"name":["app"]}')
    const inspected = await daemon.call<{ Spec: object; Version: { Index: number } }>('GET', `/services/${service!.ID}`)
    await daemon.call(
      'POST',
      `/services/${service!.ID}/update?version=${inspected.Version.Index}&rollback=previous`,
      inspected.Spec,
    )
    await reaches('one')
    await daemon.kill()
    await daemon.launch()
    await reaches('one')
    assert.equal(cli(['secret', 'rotate', 'password'], `${MARK} three`).status, 0)
    await reaches('three')
    assert.deepEqual(everywhere(daemon), [])
  })
})

/** Real minutes, with a daemon that is killed again and again at any moment of them. */
const MINUTES = Number(process.env['GLOVEBOX_JOB_MINUTES'] ?? 0)

describe('a job of every minute under a daemon that is killed', { skip: MINUTES === 0 }, () => {
  test('each minute is run once or missed', async () => {
    const daemon = await startTestDaemon()
    try {
      await daemon.importImage('box:1', busyboxImage())
      await daemon.kill()
      const beganMs = systemClock().nowMs()
      await writeServices(
        join(daemon.root, 'cluster.db'),
        { tick: ['', ['sh', '-c', 'echo ran; sleep 2']] },
        'allow, keep_succeeded: 1000',
      )
      const random = systemRandom()
      let kills = 0
      while (systemClock().nowMs() < beganMs + MINUTES * MINUTE_MS) {
        await daemon.launch()
        await delay(1000 + (random.bytes(1)[0] ?? 0) * 100)
        await daemon.kill()
        kills += 1
        await delay((random.bytes(1)[0] ?? 0) * 100)
      }
      await daemon.launch()
      await untilTrue(PATIENCE_MS, async () => (await daemon.client.jobs.inspect('tick')).underWay.length === 0)
      const view = await daemon.client.jobs.inspect('tick')
      const runs = await daemon.client.jobs.history('tick')
      const dueMinutes = runs.map(({ dueAtMs }) => dueAtMs / MINUTE_MS)
      assert.equal(new Set(dueMinutes).size, runs.length, 'a minute ran twice')
      for (const { attempts, state, tasks } of runs) {
        assert.deepEqual([attempts, state], [1, 'succeeded'])
        assert.equal(tasks.length, 1)
      }
      const [first, last] = [Math.min(...dueMinutes, Infinity), Math.max(...dueMinutes)]
      const passed = Math.floor(systemClock().nowMs() / MINUTE_MS) - Math.floor(beganMs / MINUTE_MS)
      process.stdout.write(
        `${kills} kills, ${passed} minutes: ${runs.length} runs, ${view.missed} missed, ${view.skipped} skipped, from ${first} to ${last}\n`,
      )
      assert.equal(runs.length + view.missed + view.skipped, passed)
    } finally {
      await daemon.dispose()
    }
  })
})

/** Two jobs whose last five times passed while nobody was there: one is made up for, the other was to begin within a second. */
async function writeSchedules(path: string): Promise<number> {
  const nowMs = systemClock().nowMs()
  const jobs = { 'made-up': ['', HELD], 'left-out': [', starting_deadline: 1s', HELD] } as const
  await writeServices(path, jobs, 'forbid', (Math.floor(nowMs / MINUTE_MS) - 5) * MINUTE_MS)
  return nowMs
}

/** Jobs of every minute, as somebody makes them while no daemon runs. `handledUntilMs`: so far their schedule was followed; absent: it is new. */
async function writeServices(
  path: string,
  jobs: Readonly<Record<string, readonly [more: string, command: readonly string[]]>>,
  concurrency: string,
  handledUntilMs?: number,
): Promise<void> {
  const clock = systemClock()
  await using store = openSqliteStore({ path, clock })
  await using mirror = openMirror({ store, clock, log: silentLog(), prefixes: SERVICE_PREFIXES })
  const services = openServices({ store, mirror, clock, random: systemRandom(), waits: () => [] })
  const entries = Object.entries(jobs).map(([name, [more, command]]) => {
    const schedule = `{cron: '* * * * *', time_zone: Europe/Berlin, concurrency: ${concurrency}${more}}`
    return `${name}: {image: 'box:1', command: ${JSON.stringify(command)}, network_mode: none, x-glovebox: {schedule: ${schedule}}}`
  })
  const { spec } = await readCompose({
    path: 'compose.yaml',
    text: `services: {${entries.join(', ')}}`,
    directory: '/srv',
    environment: {},
    dotEnv: null,
    stackName: 'x',
    profiles: null,
    readFile: () => null,
  })
  for (const one of spec.services) {
    const parts = { networks: [], volumes: [], secrets: [], configs: [], versions: {}, workingDir: '', configFiles: [] }
    const { record } = await services.create({
      name: one.name,
      stack: null,
      labels: {},
      spec: one,
      parts,
      imageId: null,
      by: 'ann',
    })
    const value: ScheduleRecord = {
      serviceId: record.id,
      handledUntilMs: handledUntilMs ?? clock.nowMs(),
      cron: '* * * * *',
      timeZone: 'Europe/Berlin',
      missed: 0,
      skipped: 0,
      note: '',
      updatedAtMs: clock.nowMs(),
    }
    await store.write({ puts: [{ key: keyOf('schedule', record.id), value }] })
  }
}

/** Where the mark is found but in the memory of containers: files, the daemon's words, what the API shows, environments and arguments of processes. */
function everywhere(daemon: TestDaemon): readonly string[] {
  const options = ['-rlaF', '-D', 'skip', '--exclude-dir=memory', '--exclude-dir=ns', MARK]
  const files = spawnSync('grep', [...options, daemon.root, daemon.runDir], { encoding: 'utf8' }).stdout
  const shown = ['/containers/json', '/services', '/tasks', '/secrets', '/events?since=0&until=1'].map((path) => {
    const { stdout } = spawnSync('curl', ['-s', '--unix-socket', daemon.client.socketPath, `http://d${path}`], {
      encoding: 'utf8',
    })
    return stdout.includes(MARK) ? path : ''
  })
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) =>
      ['environ', 'cmdline'].filter((file) => readText(`/proc/${pid}/${file}`).includes(MARK)).map((file) => `${pid}/${file}`),
    )
  return [...files.split('\n'), ...shown, ...processes, daemon.log().includes(MARK) ? 'log' : ''].filter((place) => place !== '')
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
