import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'

import type { RunView } from '#api/glovebox'
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

const COMPOSE = `
services:
  report:
    image: box:1
    command: [sh, -c, 'echo out; echo err >&2; exit 3']
    x-glovebox:
      schedule: {cron: '0 3 1 1 *', time_zone: Europe/Berlin, keep_failed: 2}
      job: {retries: 1}
  once:
    image: box:1
    command: ${JSON.stringify(HELD)}
    stop_grace_period: 0s
    deploy: {mode: global-job}
  web:
    image: box:1
    command: [sleep, '1000']
    stop_grace_period: 0s
    secrets: [password]
    configs: [{source: conf, target: /etc/conf}]
    deploy: {update_config: {monitor: 1ms}}
secrets: {password: {external: true}}
configs: {conf: {external: true}}
`

describe('jobs and rotations of a whole daemon', { timeout: 120_000 }, () => {
  let daemon: TestDaemon
  let app: string
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.importImage('box:1', busyboxImage())
    app = mkdtempSync(join(tmpdir(), 'gb-jobs-'))
    writeFileSync(join(app, 'compose.yaml'), COMPOSE)
    assert.equal(cli(['secret', 'create', 'password'], `${MARK} one`).status, 0)
    assert.equal(cli(['config', 'create', 'conf'], 'conf one').status, 0)
    must('up', '-d', '--name', 'shop', app)
  })
  after(async () => {
    await daemon.dispose()
    rmSync(app, { recursive: true, force: true })
  })

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
  const jobs = () => daemon.client.jobs
  const ended = async (job: string, run: string): Promise<RunView> => {
    let view: RunView | undefined
    await untilTrue(PATIENCE_MS, async () => {
      view = (await jobs().history(job)).find(({ name }) => name === run)
      return view !== undefined && view.state !== 'running'
    })
    return view!
  }

  test('a job of a Compose file is run by hand, and its output and its exit code are those of the command line', async () => {
    assert.match(must('jobs', 'ls'), /^shop\/report +0 3 1 1 \* +20\d\d-01-01 03:00 Europe\/Berlin \(in .*\) +never ran +0 +0$/m)
    const { status, stdout, stderr } = cli(['jobs', 'run', '--wait', 'shop/report'])
    assert.deepEqual([status, stdout], [3, 'out\nout\n'])
    assert.match(stderr, /^err\nerr\nrun m[0-9a-f]{8} of shop\/report failed: slot 1 failed 2 times: exit code 3/)
    assert.equal(must('jobs', 'logs', 'shop_report'), 'out\nout\n')
    assert.match(must('jobs', 'history', 'shop/report'), / manual .* 2 +failed +3 +slot 1 failed 2 times/)
    must('jobs', 'suspend', 'shop/report')
    must('up', '-d', '--name', 'shop', app)
    assert.match(must('jobs', 'ls'), /^shop\/report +0 3 1 1 \* +suspended by hand +failed with 3, /m)
    must('jobs', 'resume', 'shop/report')
    assert.equal(must('jobs', 'ls', '--format', '{{.name}} {{.state}}'), 'shop/once active\nshop/report active\n')
  })

  test('one that is cancelled ends its tasks, and a run beside it is refused', async () => {
    await untilTrue(PATIENCE_MS, async () => (await jobs().history('shop/once'))[0]?.tasks[0]?.state === 'running')
    assert.match(cli(['jobs', 'run', 'shop/once']).stderr, /run r1 of the job shop\/once is under way/i)
    must('jobs', 'cancel', 'shop/once', 'r1')
    await untilTrue(PATIENCE_MS, async () => (await jobs().inspect('shop/once')).underWay.length === 0)
    assert.deepEqual(
      (await jobs().history('shop/once')).map(({ state, reason }) => [state, reason]),
      [['cancelled', `cancelled by ${userInfo().username}`]],
    )
    assert.equal(cli(['jobs', 'suspend', 'shop/once']).status, 1)
  })

  test('what was due while the daemon was killed is run once or counted as missed, as each schedule says, and never twice', async () => {
    await daemon.kill()
    const beganMinute = await writeSchedules(join(daemon.root, 'cluster.db'))
    await daemon.launch()
    // Killed again in the middle of what it makes up for.
    await untilTrue(PATIENCE_MS, async () => (await jobs().history('made-up'))[0]?.tasks[0]?.state === 'running')
    const [before] = await jobs().history('made-up')
    await daemon.kill()
    await daemon.launch()
    const [after, ...others] = await jobs().history('made-up')
    const containers = (run: RunView | undefined) => run?.tasks.map(({ containerId }) => containerId)
    assert.deepEqual([after?.id, containers(after), others], [before?.id, containers(before), []])
    // Five minutes had passed; another one may have begun since then, which is due or skipped as well.
    await accountsForEach('made-up', beganMinute - 5)
    await accountsForEach('left-out', beganMinute - 5)
    assert.ok((await jobs().inspect('left-out')).missed >= 5)
    await daemon.exec(after!.tasks[0]!.containerId!, ['touch', '/tmp/go'])
    assert.deepEqual([(await ended('made-up', after!.name)).state, after!.attempts], ['succeeded', 1])
    must('jobs', 'suspend', 'made-up', 'left-out')
    assert.match(must('jobs', 'ls'), /^made-up +\* \* \* \* \* +suspended by hand +succeeded /m)
  })

  /** Runs, what was missed and what was skipped are together the minutes that passed. */
  async function accountsForEach(job: string, sinceMinute: number): Promise<void> {
    await untilTrue(PATIENCE_MS, async () => {
      const passed = Math.floor(systemClock().nowMs() / MINUTE_MS) - sinceMinute
      const { missed, skipped } = await jobs().inspect(job)
      return (await jobs().history(job)).length + missed + skipped === passed
    })
  }

  test('services get a new value of what they mount by themselves, in memory and nowhere else, and the old one when they go back', async () => {
    await daemon.call('POST', '/swarm/init', { ListenAddr: '127.0.0.1:2377' })
    const { id } = await daemon.client.secrets.inspect('secret', 'password')
    const file = { Name: 'password', UID: '0', GID: '0', Mode: 0o400 }
    const secrets = [{ SecretID: id, SecretName: 'password', File: file }]
    await daemon.call('POST', '/services/create', {
      Name: 'app',
      TaskTemplate: { ContainerSpec: { Image: 'box:1', Command: ['sleep', '1000'], StopGracePeriod: 1, Secrets: secrets } },
      Mode: { Replicated: { Replicas: 1 } },
      UpdateConfig: { Monitor: 1_000_000, Parallelism: 1 },
    })
    await Promise.all([reaches('app', `${MARK} one`), reaches('shop_web', `${MARK} oneconf one`)])
    const { stdout } = cli(['secret', 'rotate', 'password'], `${MARK} two`)
    assert.equal(stdout, 'password version 2\nnew tasks: app, shop_web\n')
    assert.equal(cli(['config', 'update', 'conf'], 'conf two').status, 0)
    await Promise.all([reaches('app', `${MARK} two`), reaches('shop_web', `${MARK} twoconf two`)])
    assert.deepEqual(everywhere(daemon), [])
    // Going back brings the value of before, and nobody rolls it forward again.
    const { Spec, Version } = await daemon.call<{ Spec: object; Version: { Index: number } }>('GET', '/services/app')
    await daemon.call('POST', `/services/app/update?version=${Version.Index}&rollback=previous`, Spec)
    await reaches('app', `${MARK} one`)
    await daemon.kill()
    await daemon.launch()
    await reaches('app', `${MARK} one`)
    must('up', '-d', '--name', 'shop', app)
    await reaches('shop_web', `${MARK} twoconf two`)
    assert.deepEqual(everywhere(daemon), [])
  })

  /** The one task that there is of a service has these values. */
  async function reaches(service: string, wanted: string): Promise<void> {
    await untilTrue(PATIENCE_MS, async () => {
      const [only, ...others] = (await daemon.client.containers.list({ all: false })).filter(({ Labels, Names }) =>
        [Labels?.['com.docker.swarm.service.name'], Names[0]?.replace(/^\/shop-(\w+)-\d+$/, 'shop_$1')].includes(service),
      )
      if (only === undefined || others.length > 0) return false
      const { output } = await daemon.exec(only.Id, ['sh', '-c', 'cat /run/secrets/password; cat /etc/conf 2>/dev/null || true'])
      return output === wanted
    })
  }
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
  return Math.floor(nowMs / MINUTE_MS)
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
