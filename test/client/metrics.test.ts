import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run, spawnProgram, until, type Running } from '../support/processes.ts'

/** A real Prometheus reads all that we tell and takes what we send. */
const PROMETHEUS = '/usr/bin/prometheus'
const WAIT_MS = 60_000

let daemon: TestDaemon
let docker: Docker
let prometheus: Running
let metricsPort: number
let prometheusPort: number

before(async () => {
  assert.ok(existsSync(PROMETHEUS), 'prometheus is not installed; on Debian: apt-get install prometheus')
  metricsPort = await freePort()
  prometheusPort = await freePort()
  daemon = await startDaemon([
    '--metrics-listen',
    `127.0.0.1:${metricsPort}`,
    '--metrics-remote-write',
    `http://127.0.0.1:${prometheusPort}/api/v1/write`,
  ])
  const directory = join(daemon.directory, 'prometheus')
  mkdirSync(directory)
  const target = `[{ targets: ['127.0.0.1:${metricsPort}'] }]`
  writeFileSync(
    join(directory, 'prometheus.yml'),
    [
      'global: { scrape_interval: 1s }',
      'scrape_configs:',
      `  - { job_name: own, static_configs: ${target} }`,
      `  - { job_name: services, metrics_path: /metrics/services, static_configs: ${target} }`,
    ].join('\n'),
  )
  prometheus = spawnProgram(PROMETHEUS, [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
    '--web.enable-remote-write-receiver',
  ])
  docker = dockerOf(daemon, dockerClients()[0] ?? '')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox:metrics')
  const page =
    'mkdir /w; printf "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\\njobs_total{container=\\"mine\\"} 5\\n" > /w/m; exec httpd -f -p 8000 -h /w'
  const labels = ['-l', 'prometheus.io/scrape=true', '-l', 'prometheus.io/port=8000', '-l', 'prometheus.io/path=/m']
  await docker.must('run', '-d', '--name', 'told', '-m', '64m', ...labels, 'busybox:metrics', 'sh', '-c', page)
  // Without a network: it is asked at its own loopback.
  await docker.must('run', '-d', '--name', 'inner', '--network', 'none', ...labels, 'busybox:metrics', 'sh', '-c', page)
  const broken = page.replace('jobs_total{', 'jobs_total{{')
  await docker.must('run', '-d', '--name', 'broken', ...labels, 'busybox:metrics', 'sh', '-c', broken)
})

after(async () => {
  prometheus.kill('SIGKILL')
  await prometheus.ended
  await daemon.stop()
})

test('a container is told of on the socket and on the port, in the text that promtool reads', async () => {
  // What was looked at less than a second ago is told again: containers that have just begun may not be in it yet.
  const text = async () => await get({ port: metricsPort, path: '/metrics' })
  const limit = /^glovebox_container_memory_limit_bytes\{container="told"\} 67108864$/m
  await until('the limit of a container to be told', WAIT_MS, async () => (limit.test(await text()) ? true : undefined))
  const told = await text()
  assert.match(told, /^glovebox_container_running\{container="inner"\} 1$/m)
  assert.match(told, /^glovebox_api_requests_total\{operation="POST \/containers\/create",status="201"\} 3$/m)
  assert.match(await get({ socketPath: daemon.socketPath, path: '/metrics' }), /^glovebox_host_cpus /m)
  for (const path of ['/metrics', '/metrics/services']) {
    const checked = await run('promtool', ['check', 'metrics'], { input: await get({ port: metricsPort, path }) })
    assert.equal(checked.code, 0, `${path}: ${checked.stderr}${checked.stdout}`)
    assert.equal(checked.stderr + checked.stdout, '')
  }
  const open = await get({
    port: metricsPort,
    path: '/metrics',
    headers: { accept: 'application/openmetrics-text;version=1.0.0' },
  })
  assert.match(open, /# EOF\n$/)
  assert.match(await get({ port: metricsPort, path: '/containers/json' }), /Metrics are at/)
})

test('what containers tell of themselves carries their names, and what is no such text is refused', async () => {
  const asked = async () => await get({ port: metricsPort, path: '/metrics/services' })
  const targetsNow = async () => (await daemon.glovebox('metrics', 'targets')).stdout
  // Their web servers may have just begun.
  const isUp = /^glovebox_target_up\{container="told"\} 1$[^]*^jobs_total\{container="inner"/m
  await until('the containers to answer', WAIT_MS, async () => (isUp.test(await asked()) ? true : undefined))
  await until('the broken one to be heard', WAIT_MS, async () =>
    /^broken .*line 3/m.test(await targetsNow()) ? true : undefined,
  )
  const text = await asked()
  assert.match(text, /^jobs_total\{container="told",exported_container="mine"\} 5$/m)
  assert.match(text, /^jobs_total\{container="inner",exported_container="mine"\} 5$/m)
  assert.match(text, /^glovebox_target_up\{container="broken"\} 0$/m)
  const targets = await daemon.glovebox('metrics', 'targets')
  assert.match(targets.stdout, /^broken .*line 3: "\{container" is no name of a label/m)
})

test('Prometheus scrapes all of it and takes what is sent', async () => {
  const wanted = [
    ['up{job="own"}', '1'],
    ['up{job="services"}', '1'],
    ['glovebox_container_memory_limit_bytes{job="own",container="told"}', '67108864'],
    ['jobs_total{container="inner"}', '5'],
    ['glovebox_container_memory_limit_bytes{job="glovebox",container="told"}', '67108864'],
  ] as const
  for (const [query, value] of wanted)
    await until(`Prometheus to know ${query}`, WAIT_MS, async () => {
      const body = await get({ port: prometheusPort, path: `/api/v1/query?query=${encodeURIComponent(query)}` }).catch(() => '{}')
      const { data } = JSON.parse(body) as {
        readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] }
      }
      return data?.result[0]?.value[1] === value ? true : undefined
    })
})

test('the history answers by name, in a table and as JSON', async () => {
  const memory = async () => {
    const selector = encodeURIComponent('glovebox_container_memory_limit_bytes{container="told"}')
    const text = await get({
      socketPath: daemon.socketPath,
      path: `/glovebox/v1/metrics/query?selector=${selector}&fn=last&stepS=10`,
    })
    const { series } = JSON.parse(text) as { readonly series: readonly { readonly values: readonly (number | null)[] }[] }
    return (series[0]?.values ?? []).filter((value) => value !== null)
  }
  await until('the history to know the container', WAIT_MS, async () => ((await memory()).length > 0 ? true : undefined))
  const shown = await daemon.glovebox('metrics', 'told')
  assert.match(shown.stdout, /^container told\nFIGURE +NOW +AVERAGE +HIGHEST +UNTIL NOW\n[\s\S]*^MEMORY +\d/m)
  const asJson = await daemon.glovebox('metrics', 'told', '--format', 'json')
  const { subjects } = JSON.parse(asJson.stdout) as {
    readonly subjects: readonly { readonly name: string; readonly figures: object }[]
  }
  assert.ok(subjects.some(({ name, figures }) => name === 'told' && 'memoryBytes' in figures))
  const unknown = await daemon.glovebox('metrics', 'nobody')
  assert.match(unknown.stderr, /nothing is known of nobody/)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function get(options: {
  readonly path: string
  readonly port?: number
  readonly socketPath?: string
  readonly headers?: Readonly<Record<string, string>>
}): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
    })
    asking.on('error', reject)
    asking.end()
  })
}
