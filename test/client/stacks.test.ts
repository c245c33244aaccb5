import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { StackStatus } from '#api/glovebox'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run, until } from '../support/processes.ts'

const PATIENCE_MS = 20_000
/** Ends at once when it is told to. */
const QUICK = 'image: busybox:1, stop_grace_period: 1ms'
const IDLE = `${QUICK}, command: [sleep, "1000"]`
const says = (word: string) =>
  `${QUICK}, command: [sh, -c, "mkdir -p /www && echo ${word} > /www/word && exec httpd -f -p 8080 -h /www"]`

/** What Compose files say of operation is carried out on a real daemon: one daemon, an application for each case. */
describe('a Compose file of services, applied', { timeout: 180_000 }, () => {
  let daemon: TestDaemon
  let docker: Docker
  let port = 0
  before(async () => {
    port = await freePort()
    daemon = await startDaemon()
    docker = dockerOf(daemon, dockerClients()[0] ?? '')
    await docker.must('import', '-c', 'ENV PATH=/bin', await busyboxTar(daemon.directory), 'busybox:1')
  })
  after(async () => await daemon.stop())

  const put = (name: string, text: string) => {
    const directory = join(daemon.directory, name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'compose.yaml'), text)
    return directory
  }
  const up = async (name: string, text: string) => await daemon.glovebox('up', put(name, text))
  const mustUp = async (name: string, text: string) => {
    const { code, stdout, stderr } = await up(name, text)
    assert.equal(code, 0, stdout + stderr)
  }
  const status = async (name: string): Promise<StackStatus> => {
    const { stdout, stderr } = await daemon.glovebox('status', name, '--format', 'json')
    assert.notEqual(stdout, '', stderr)
    return JSON.parse(stdout) as StackStatus
  }
  const service = async (stack: string, name: string) =>
    (await status(stack)).services.find((one) => one.name === name) ?? assert.fail(`no service ${name}`)
  const containers = async (stack: string, ...more: readonly string[]) =>
    (await docker.must('ps', ...more, '--filter', `label=com.docker.compose.project=${stack}`, '--format', '{{.Names}}'))
      .split('\n')
      .filter((line) => line !== '')
      .toSorted()
  const ask = async (path = '/word') => (await run('curl', ['-s', '-m', '5', `http://127.0.0.1:${port}${path}`])).stdout.trim()

  test('rolls in batches with a delay, in the order that it says', async () => {
    const text = (word: string) => `
services:
  web:
    { ${IDLE}, environment: { WORD: ${word} }, deploy: { replicas: 4, update_config: { parallelism: 2, delay: 600ms, order: stop-first, monitor: 1ms } } }
`
    await mustUp('batches', text('one'))
    assert.deepEqual(
      await containers('batches'),
      [1, 2, 3, 4].map((number) => `batches-web-${number}`),
    )
    await mustUp('batches', text('two'))
    const times = await Promise.all(
      (await containers('batches')).map(async (name) => Date.parse((await docker.inspect(name)).State.StartedAt)),
    )
    const [first = 0, second = 0, third = 0, fourth = 0] = times.toSorted((a, b) => a - b)
    assert.ok(third - second >= 600, `${second - first} ms, ${third - second} ms, ${fourth - third} ms`)
    assert.equal((await daemon.glovebox('up', join(daemon.directory, 'batches'))).stdout.includes('nothing to do'), true)
  })

  test('goes back by itself, stands still or goes on when new tasks fail, as it says', async () => {
    const text = (word: string, how: string) => `
services:
  web:
    ${QUICK.replaceAll(', ', '\n    ')}
    command: [sh, -c, "test ${word} != bad && exec sleep 1000; exit 3"]
    deploy: { replicas: 2, update_config: { failure_action: ${how}, monitor: 300ms } }
`
    await mustUp('fails', text('good', 'rollback'))
    const before = await containers('fails')
    const back = await up('fails', text('bad', 'rollback'))
    assert.notEqual(back.code, 0)
    assert.match(back.stdout + back.stderr, /it went back to revision 1: 1 new task failed: exit code 3/)
    assert.deepEqual(await containers('fails'), before)
    const still = await up('fails', text('bad', 'pause'))
    assert.notEqual(still.code, 0)
    assert.match(still.stdout + still.stderr, /stands still: 1 new task failed: exit code 3/)
    assert.deepEqual(
      (await containers('fails')).filter((name) => before.includes(name)),
      before,
    )
    await mustUp('fails', text('fine', 'pause'))
  })

  test('has all traffic go over at once in blue-green, and by weight in a canary', async () => {
    const text = (word: string, rollout: string) => `
name: colours
services:
  web:
    ${says(word).replaceAll(', stop', '\n    stop').replaceAll(', command', '\n    command')}
    ports: ["127.0.0.1:${port}:8080"]
    deploy: { replicas: 2, update_config: { monitor: 300ms } }
    x-glovebox: { rollout: ${rollout}, checks: { readiness: { http: { port: 8080, path: /word }, interval: 100ms } } }
`
    const blueGreen = '{ strategy: blue-green }'
    await mustUp('colours', text('blue', blueGreen))
    assert.equal(await ask(), 'blue')
    let isOver = false
    const going = mustUp('colours', text('green', blueGreen)).finally(() => (isOver = true))
    const heard: string[] = []
    while (!isOver) heard.push(await ask())
    await going
    assert.deepEqual(
      heard.filter((word, index) => word !== heard[index - 1]),
      ['blue', 'green'],
      heard.join(' '),
    )
    const canary = '{ strategy: canary, steps: [{ weight: 20, hold: 300ms }], min_requests: 20, max_latency_ratio: 1000 }'
    const shifting = mustUp('colours', text('canary', canary))
    const weights = new Set<string>()
    const answers = new Map<string, number>()
    isOver = false
    void shifting.finally(() => (isOver = true)).catch(() => undefined)
    while (!isOver) {
      const word = await ask()
      answers.set(word, (answers.get(word) ?? 0) + 1)
      if ((answers.get('green') ?? 0) % 10 === 0) {
        const routes = JSON.parse((await daemon.glovebox('route', 'ls', '--format', 'json')).stdout) as {
          groups: { share: number }[]
        }[]
        weights.add(routes.flatMap(({ groups }) => groups.map(({ share }) => share)).join(':'))
      }
    }
    await shifting
    assert.equal(await ask(), 'canary')
    assert.ok(weights.has('80:20'), [...weights].join(' '))
    assert.deepEqual([...answers.keys()].toSorted(), ['canary', 'green'])
  })

  test('gives no traffic before readiness, and replaces what is not alive', async () => {
    await up(
      'checks',
      `
services:
  web:
    ${says('here').replaceAll(', stop', '\n    stop').replaceAll(', command', '\n    command')}
    ports: ["8080"]
    x-glovebox:
      checks:
        startup: { tcp: { port: 8080 }, interval: 50ms, failures: 100 }
        readiness: { command: [test, "!", -e, /tmp/away], interval: 50ms, failures: 1 }
        liveness: { command: [test, "!", -e, /tmp/dead], interval: 50ms, failures: 3 }
`,
    )
    assert.equal((await service('checks', 'web')).state, 'ready')
    const [name = ''] = await containers('checks')
    await docker.must('exec', name, 'touch', '/tmp/away')
    await until('the task to be away', PATIENCE_MS, async () =>
      /has not passed its readiness check/.test((await service('checks', 'web')).whyNotYet ?? '') ? true : undefined,
    )
    const id = await docker.must('inspect', '-f', '{{.Id}}', name)
    // Whoever restarts a container by hand finds it again.
    await docker.must('restart', '-t', '0', name)
    assert.equal(await docker.must('inspect', '-f', '{{.Id}} {{.State.Running}}', name), `${id} true`)
    await docker.must('exec', name, 'touch', '/tmp/dead')
    await until('another task', PATIENCE_MS, async () => {
      const [now = ''] = await containers('checks')
      const { state } = await service('checks', 'web')
      return now !== '' && (await docker('inspect', '-f', '{{.Id}}', now)).stdout.trim() !== id && state === 'ready'
        ? true
        : undefined
    })
  })

  test('runs jobs to their end in order, and what waits for them after', async () => {
    await mustUp(
      'order',
      `
services:
  web: { ${IDLE}, depends_on: { init: { condition: service_completed_successfully }, db: { condition: service_healthy } } }
  init: { ${QUICK}, command: [sh, -c, "sleep 0.3"] }
  db: { ${IDLE}, healthcheck: { test: [CMD, "true"], interval: 100ms, start_interval: 100ms } }
  batch: { ${QUICK}, command: ["true"], deploy: { mode: replicated-job, replicas: 2 } }
  nightly: { ${QUICK}, command: ["true"], x-glovebox: { schedule: "0 3 * * *" } }
  each: { ${IDLE}, deploy: { mode: global } }
`,
    )
    const { services } = await status('order')
    assert.deepEqual(
      services.map(({ name, mode, state }) => `${name} ${mode} ${state}`),
      [
        'web replicated ready',
        'init job done',
        'db replicated ready',
        'batch job done',
        'nightly job ready',
        'each global ready',
      ],
    )
    const of = async (name: string) => (await docker.inspect(`order-${name}-1`)).State
    assert.ok(Date.parse((await of('web')).StartedAt) >= Date.parse((await of('init')).FinishedAt))
    assert.equal((await of('batch')).ExitCode, 0)
    const again = await daemon.glovebox('up', join(daemon.directory, 'order'))
    assert.match(again.stdout, /nothing to do/)
  })

  test('says why a task has no node, and when it is restarted no more', async () => {
    const nowhere = await up(
      'nowhere',
      `services: { web: { ${IDLE}, deploy: { placement: { constraints: [node.labels.zone == a] } } } }`,
    )
    assert.notEqual(nowhere.code, 0)
    assert.match(nowhere.stdout + nowhere.stderr, /node\.labels\.zone == a/)
    const vain = await up(
      'vain',
      `services: { web: { ${QUICK}, command: [sh, -c, "exit 4"], deploy: { restart_policy: { condition: on-failure, max_attempts: 1, delay: 10ms } } } }`,
    )
    assert.notEqual(vain.code, 0)
    assert.match(vain.stdout + vain.stderr, /ended with exit code 4, and was restarted 1 times in vain/)
    assert.equal((await service('vain', 'web')).state, 'failed')
  })

  test('names its tasks by one address, or by those of all', async () => {
    await mustUp(
      'names',
      `
services:
  one: { ${IDLE}, deploy: { replicas: 2 } }
  all: { ${IDLE}, deploy: { replicas: 2, endpoint_mode: dnsrr } }
`,
    )
    const addresses = async (name: string) => {
      const said = await docker.must('exec', 'names-one-1', 'nslookup', name)
      return [...said.matchAll(/^Address.*?: (\d+\.\d+\.\d+\.\d+)$/gm)]
        .map((match) => match[1])
        .filter((one) => one !== '127.0.0.11')
    }
    assert.equal((await addresses('one')).length, 1)
    assert.equal((await addresses('all')).length, 2)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
