import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'

import type { RunView } from '#api/glovebox'
import { silentLog, systemClock, systemRandom } from '#base'
import { keyOf, type EnvironmentRecord, type ScheduleRecord } from '#cluster/model'
import { openMirror, openServices, SERVICE_PREFIXES } from '#cluster/services'
import { readCompose } from '#cluster/spec'
import { openSqliteStore } from '#cluster/store'

import { busyboxImage, startTestDaemon, type TestDaemon, untilTrue } from './daemon-fixture.ts'

const CLI = join(import.meta.dirname, '../../build/cli.cjs')
const PATIENCE_MS = 20_000
const MINUTE_MS = 60_000
const MARK = 'gb-operated-9f2e-in-memory-only'
const ROUTED_PORT = 18_473
/** Of a run that lasts until somebody says that it may end. */
const HELD = ['sh', '-c', 'while [ ! -e /tmp/go ]; do usleep 50000; done']

const COMPOSE = `
services:
  api:
    image: box:1.0
    container_name: the-api
    command: [sh, -c, 'cp /version /data/index.html; echo "$$MODE" >> /data/index.html; exec httpd -f -h /data']
    environment: {MODE: plain}
    stop_grace_period: 0s
    ports: ['127.0.0.1:18474:80']
    volumes: [data:/data]
    secrets: [password, word, extra]
    configs: [{source: conf, target: /etc/conf}]
    deploy: {update_config: {monitor: 1ms}}
  report:
    image: box:1.0
    command: [sh, -c, 'echo out; echo err >&2; exit 3']
    x-glovebox:
      schedule: {cron: '0 3 1 1 *', time_zone: Europe/Berlin, keep_failed: 2}
      job: {retries: 1}
volumes: {data: {}}
secrets: {password: {external: true}, word: {file: ./word.txt}, extra: {file: ./word.txt}}
configs: {conf: {external: true}}
x-glovebox:
  routes:
    - {name: front, hosts: [shop.test], address: 127.0.0.1, port: ${ROUTED_PORT}, service: api, target_port: 80}
`

/** One daemon for all of it: what is asked of an application that runs, at the command line and over the API. */
describe('jobs, environments and rotations of a whole daemon', { timeout: 120_000 }, () => {
  let daemon: TestDaemon
  let app: string
  before(async () => {
    daemon = await startTestDaemon()
    for (const version of ['1.0', '1.1', '1.2'])
      await daemon.importImage(`box:${version}`, busyboxImage([{ path: 'version', mode: 0o644, body: `${version} ` }]))
    app = mkdtempSync(join(tmpdir(), 'gb-operated-'))
    writeFileSync(join(app, 'compose.yaml'), COMPOSE)
    writeFileSync(join(app, 'word.txt'), `${MARK} word`)
    const { secrets } = daemon.client
    await secrets.create('secret', { name: 'password', labels: {}, value: Buffer.from(`${MARK} one`) })
    await secrets.create('config', { name: 'conf', labels: {}, value: Buffer.from('conf one') })
    must('up', '-d', '--name', 'shop', app)
    await daemon.call('POST', '/swarm/init', { ListenAddr: '127.0.0.1:2377' })
    await daemon.call('POST', '/services/create', {
      Name: 'once',
      TaskTemplate: { ContainerSpec: { Image: 'box:1.0', Command: HELD, StopGracePeriod: 1 } },
      Mode: { GlobalJob: {} },
    })
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
  const environments = () => daemon.client.environments
  const answerOf = async (host: string) => await textOf(ROUTED_PORT, host).catch(() => '')
  const answers = async (host: string, text: string) => await untilTrue(PATIENCE_MS, async () => (await answerOf(host)) === text)
  const ended = async (job: string, run: string): Promise<RunView> => {
    let view: RunView | undefined
    await untilTrue(PATIENCE_MS, async () => {
      view = (await jobs().history(job)).find(({ name }) => name === run)
      return view !== undefined && view.state !== 'running'
    })
    return view!
  }
  const volumes = async () => (await daemon.client.volumes.list(undefined)).map(({ Name }) => Name).toSorted()

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
    assert.equal((await jobs().resume('shop/report')).state, 'active')
  })

  test('a run that is cancelled ends its tasks, and one beside it is refused', async () => {
    await untilTrue(PATIENCE_MS, async () => (await jobs().history('once'))[0]?.tasks[0]?.state === 'running')
    await assert.rejects(jobs().run('once'), {
      code: 'job.run_under_way',
      message: /run r1 of the job once is under way/,
    })
    must('jobs', 'cancel', 'once', 'r1')
    await untilTrue(PATIENCE_MS, async () => (await jobs().inspect('once')).underWay.length === 0)
    assert.deepEqual(
      (await jobs().history('once')).map(({ state, reason }) => [state, reason]),
      [['cancelled', `cancelled by ${userInfo().username}`]],
    )
    await assert.rejects(jobs().suspend('once'), { code: 'job.not_possible' })
  })

  test('three versions of an application run side by side, each reached at its own host and port', async () => {
    const settings = ['--set', 'api.image=box:1.1', '--set', 'api.environment.MODE=try']
    const made = cli(['env', 'create', 'pr-1', '--from', 'shop', ...settings, '--ttl', '3d', '-d'])
    assert.equal(made.status, 0, made.stderr)
    for (const note of ['its container is not called the-api', 'another port of the host is chosen instead of 18474'])
      assert.match(made.stderr, new RegExp(`^note: api: ${note}$`, 'm'))
    assert.match(made.stderr, /^note: report: its schedule is suspended/m)
    await environments().create({
      name: 'pr-2',
      from: 'shop',
      settings: ['api.image=box:1.2'],
      hosts: ['two.test'],
      lifeMs: null,
    })
    await Promise.all([
      answers('shop.test', '1.0 plain\n'),
      answers('pr-1.shop.test', '1.1 try\n'),
      answers('two.test', '1.2 plain\n'),
    ])
    const listed = must('env', 'ls', '--format', '{{.name}} {{join .urls " "}}').trim().split('\n')
    for (const line of listed) {
      const [name = '', route, published = ''] = line.split(' ')
      assert.equal(route, `http://${name === 'pr-2' ? 'two.test' : 'pr-1.shop.test'}:${ROUTED_PORT}`)
      assert.equal(await textOf(Number(new URL(published).port), 'any'), name === 'pr-2' ? '1.2 plain\n' : '1.1 try\n')
    }
    assert.equal((await daemon.exec('shop--pr-1-api-1', ['cat', '/run/secrets/word'])).output, `${MARK} word`)
    assert.deepEqual(
      (await environments().diff('shop', 'pr-1', { all: false })).map(({ path, right }) => `${path}=${right}`),
      ['api.environment.MODE="try"', 'api.image="box:1.1"'],
    )
  })

  test('what a copy writes, and what becomes of it, does not touch its application', async () => {
    await daemon.exec('shop--pr-1-api-1', ['sh', '-c', 'echo changed > /data/index.html'])
    assert.deepEqual([await answerOf('pr-1.shop.test'), await answerOf('shop.test')], ['changed\n', '1.0 plain\n'])
    must('env', 'set', 'pr-1', '--set', 'api.image=box:1.2')
    assert.deepEqual([await answerOf('pr-1.shop.test'), await answerOf('shop.test')], ['1.2 try\n', '1.0 plain\n'])
    for (const words of [
      ['up', '--name', 'shop--pr-1', app],
      ['down', '--name', 'shop--pr-1'],
    ])
      assert.match(cli(words).stderr, /shop--pr-1 is the environment pr-1 of shop/i)
    assert.match(
      cli(['env', 'create', 'pr-3', '--from', 'shop', '--set', 'nobody.image=a']).stderr,
      /nobody\.image: there is no such service/,
    )
    assert.match(cli(['env', 'create', 'pr-3', '--from', 'shop', '--copy-data']).stderr, /--copy-data is not supported/)
    const taken = environments().create({ name: 'pr-3', from: 'shop', hosts: ['two.test'], lifeMs: null })
    await assert.rejects(taken, {
      code: 'environment.host_taken',
      message: /two\.test:18473\/ is answered by shop--pr-2 already/,
    })
    must('env', 'rm', 'pr-2')
    assert.deepEqual(await volumes(), ['shop--pr-1_data', 'shop_data'])
  })

  test('services get a new value of what they mount by themselves, in memory and nowhere else, and the old one when they go back', async () => {
    const { id } = await daemon.client.secrets.inspect('secret', 'password')
    const file = { Name: 'password', UID: '0', GID: '0', Mode: 0o400 }
    const secrets = [{ SecretID: id, SecretName: 'password', File: file }]
    await daemon.call('POST', '/services/create', {
      Name: 'app',
      TaskTemplate: { ContainerSpec: { Image: 'box:1.0', Command: ['sleep', '1000'], StopGracePeriod: 1, Secrets: secrets } },
      Mode: { Replicated: { Replicas: 1 } },
      UpdateConfig: { Monitor: 1_000_000, Parallelism: 1 },
    })
    await Promise.all([reaches('app', `${MARK} one`), reaches('the-api', `${MARK} oneconf one`)])
    const { stdout } = cli(['secret', 'rotate', 'password'], `${MARK} two`)
    assert.equal(stdout, 'password version 2\nnew tasks: app, shop--pr-1_api, shop_api\n')
    await daemon.client.secrets.rotate('config', 'conf', Buffer.from('conf two'))
    await Promise.all(['the-api', 'shop--pr-1-api'].map(async (name) => await reaches(name, `${MARK} twoconf two`)))
    await reaches('app', `${MARK} two`)
    assert.deepEqual(await everywhere(daemon), [])
    // Going back brings the value of before, and nobody rolls it forward again.
    const { Spec, Version } = await daemon.call<{ Spec: object; Version: { Index: number } }>('GET', '/services/app')
    await daemon.call('POST', `/services/app/update?version=${Version.Index}&rollback=previous`, Spec)
    await reaches('app', `${MARK} one`)
  })

  test('what was due while the daemon was killed is run once or counted as missed, as each schedule says, and never twice', async () => {
    await daemon.kill()
    const beganMinute = await writeSchedules(join(daemon.root, 'cluster.db'))
    await makeOver(join(daemon.root, 'cluster.db'), 'shop--pr-1')
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
  })

  test('an environment that ended while no daemon ran goes with its volumes, and a rolled-back service keeps its value', async () => {
    await untilTrue(PATIENCE_MS, async () => (await environments().list()).length === 0)
    assert.deepEqual(await volumes(), ['shop_data'])
    await reaches('app', `${MARK} one`)
    await answers('shop.test', '1.0 plain\n')
    assert.match(daemon.log(), /the time of an environment is over/)
    assert.deepEqual(await everywhere(daemon), [])
  })

  test('a copy outlives its application, with what it has of its secrets', async () => {
    const extra = join(app, 'word.txt')
    must('env', 'create', 'last', '--from', 'shop', '--ttl', 'never', '--own-secret', `extra=${extra}`, '-d')
    must('down', '--name', 'shop')
    const names = async () => (await daemon.client.secrets.list('secret')).map(({ name }) => name)
    assert.deepEqual(await names(), ['password', 'shop--last_extra', 'shop_word'])
    await untilTrue(PATIENCE_MS, async () => (await answerOf('last.shop.test')) === '1.0 plain\n')
    await daemon.client.containers.remove('shop--last-api-1', { force: true })
    await untilTrue(PATIENCE_MS, async () => (await answerOf('last.shop.test')) === '')
    await answers('last.shop.test', '1.0 plain\n')
    await environments().remove('last')
    assert.deepEqual(await names(), ['password', 'shop_word'])
  })

  /** Runs, what was missed and what was skipped are together the minutes that passed. */
  async function accountsForEach(job: string, sinceMinute: number): Promise<void> {
    await untilTrue(PATIENCE_MS, async () => {
      const passed = Math.floor(systemClock().nowMs() / MINUTE_MS) - sinceMinute
      const { missed, skipped } = await jobs().inspect(job)
      return (await jobs().history(job)).length + missed + skipped === passed
    })
  }

  /** The one task that there is of a service has these values. */
  async function reaches(service: string, wanted: string): Promise<void> {
    await untilTrue(PATIENCE_MS, async () => {
      const [only, ...others] = (await daemon.client.containers.list({ all: false })).filter(
        ({ Labels, Names: [name = ''] }) =>
          Labels?.['com.docker.swarm.service.name'] === service || name.replace(/^\/|-\d+$/g, '') === service,
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
      await daemon.importImage('box:1.0', busyboxImage())
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
    return `${name}: {image: 'box:1.0', command: ${JSON.stringify(command)}, network_mode: none, stop_grace_period: 0s, x-glovebox: {schedule: ${schedule}}}`
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

/** As if its time had passed while no daemon ran. */
async function makeOver(path: string, stack: string): Promise<void> {
  await using store = openSqliteStore({ path, clock: systemClock() })
  const entry = await store.get<EnvironmentRecord>(`environment/${stack}`)
  const value = { ...entry?.value, expiresAtMs: systemClock().nowMs() - 1000 }
  await store.write({ puts: [{ key: `environment/${stack}`, value }] })
}

async function textOf(port: number, host: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', headers: { host }, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(response.statusCode === 200 ? text : ''))
    }).on('error', reject)
  })
}

/** Where the mark is found but in the memory of containers: files, the daemon's words, all that the APIs show, environments and arguments of processes. */
async function everywhere(daemon: TestDaemon): Promise<readonly string[]> {
  const options = ['-rlaF', '-D', 'skip', '--exclude-dir=memory', '--exclude-dir=ns', MARK]
  const files = spawnSync('grep', [...options, daemon.root, daemon.runDir], { encoding: 'utf8' }).stdout
  const containers = await daemon.client.containers.list({ all: true })
  const ours = ['stacks', 'stacks/shop', 'environments', 'jobs', 'secrets', 'services', 'tasks', 'history', 'why'].map(
    (path) => `/glovebox/v1/${path}`,
  )
  const paths = [
    ...['/services', '/tasks', '/secrets', '/containers/json?all=1'],
    ...containers.map(({ Id }) => `/containers/${Id}/json`),
    ...ours,
  ]
  const shown = await Promise.all(
    paths.map(async (path) => ((JSON.stringify(await daemon.call('GET', path)) ?? '').includes(MARK) ? path : '')),
  )
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
