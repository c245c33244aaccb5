import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { processesOf } from '../kernel/survival-traces.ts'
import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { until } from '../support/processes.ts'

let place = ''
let daemon: TestDaemon
let docker: Docker

const write = (settings: object) => writeFileSync(join(place, 'daemon.json'), JSON.stringify(settings))

before(async () => {
  place = mkdtempSync(join(tmpdir(), 'glovebox-settings-'))
  write({ label: ['rack=7'], 'log-opt': ['max-size=10m'], gc: 'unused=30d' })
  daemon = await startDaemon(['--config', join(place, 'daemon.json'), '--log-driver', 'local'])
  docker = dockerOf(daemon, dockerClients().at(-1) ?? '')
  await docker.must('import', await busyboxTar(place), 'busybox')
})
after(async () => {
  await daemon.stop()
  rmSync(place, { recursive: true, force: true })
})

/** The launcher becomes it; others with its directory in their words are its helpers. */
function daemonPid(): number {
  const pid = processesOf(daemon.directory).find((one) => readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('daemon.js'))
  return pid ?? assert.fail('no daemon')
}

const info = async (template: string) => await docker.must('info', '--format', template)

test('settings come from the file and from flags, and clients see them', async () => {
  assert.equal(await info('{{.LoggingDriver}} {{.Labels}}'), 'local [rack=7]')
  assert.match(await info('{{.DriverStatus}}'), /Garbage Collection unused images after 30 days/)
})

test('a container that says nothing of its log has the daemon’s', async () => {
  const logOf = async (...options: readonly string[]) => {
    const id = await docker.must('create', ...options, 'busybox', 'true')
    const log = await docker.must('inspect', id, '--format', '{{json .HostConfig.LogConfig}}')
    await docker.must('rm', id)
    return JSON.parse(log)
  }
  assert.deepEqual(await logOf(), { Type: 'local', Config: { 'max-size': '10m' } })
  assert.deepEqual(await logOf('--log-opt', 'max-file=3'), { Type: 'local', Config: { 'max-size': '10m', 'max-file': '3' } })
  assert.deepEqual(await logOf('--log-driver', 'none'), { Type: 'none', Config: {} })
  await docker.must('run', '--name', 'teller', 'busybox', 'echo', 'told')
  assert.equal(await docker.must('logs', 'teller'), 'told')
  await docker.must('rm', 'teller')
})

test('SIGHUP takes what may change, and settings that are wrong change nothing', async () => {
  const pid = daemonPid()
  const since = (Date.now() / 1000).toFixed(3)
  write({ label: ['rack=8'], gc: 'off', 'registry-mirror': ['https://mirror.example.org'], group: 'root' })
  process.kill(pid, 'SIGHUP')
  await until('the new label', 5000, async () => ((await info('{{.Labels}}')) === '[rack=8]' ? true : undefined))
  assert.match(await info('{{.RegistryConfig.Mirrors}} {{.DriverStatus}}'), /mirror\.example\.org.*Garbage Collection off/)
  assert.match(daemon.log(), /afterRestart=group/)
  const end = (Date.now() / 1000 + 0.1).toFixed(3)
  const events = await docker.must('events', '--since', since, '--until', end, '--filter', 'event=reload')
  assert.match(events, /daemon reload .*labels=\["rack=8"\]/)
  write({ labels: ['rack=9'] })
  process.kill(pid, 'SIGHUP')
  await until('the complaint', 5000, async () => await Promise.resolve(/:1:2: unknown key/.test(daemon.log()) || undefined))
  assert.equal(await info('{{.Labels}}'), '[rack=8]')
})
