import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run, until } from '../support/processes.ts'

const HOME = join(import.meta.dirname, '../..')
const LONG_MS = 30_000

const ROUTE_PORT = 18_473

const FILE = `name: fields
x-glovebox:
  routes: [{ name: site, hosts: [site.test], port: ${ROUTE_PORT}, service: peer, target_port: 80 }]
services:
  web:
    image: busybox:1
    command: sleep 1000
    stop_grace_period: 2s
    configs: [{ source: conf, target: /etc/conf, uid: "7", mode: 0440 }]
    secrets: [token]
    devices: ["/dev/null:/dev/nothing"]
    oom_score_adj: 100
    post_start: [{ command: [sh, -c, "echo started with $$WITH > /tmp/hook"], environment: { WITH: care } }]
    pre_stop: [{ command: "touch /shared/left" }]
    volumes: ["./shared:/shared"]
    networks: { default: { ipv4_address: 10.78.0.9 } }
  side:
    extends: { file: base.yaml, service: sleeper }
    network_mode: service:web
    volumes_from: ["web:ro"]
  peer: { extends: { file: base.yaml, service: sleeper }, command: httpd -f -h /etc, links: ["web:site"] }
networks: { default: { ipam: { config: [{ subnet: 10.78.0.0/24 }] } } }
secrets: { token: { environment: TOKEN } }
configs: { conf: { content: "for $\{WHO:-you}" } }
`
const BASE = 'services: { sleeper: { image: "busybox:1", command: sleep 1000, stop_grace_period: 1s } }\n'

let daemon: TestDaemon
let docker: Docker
let app: string

before(async () => {
  daemon = await startDaemon()
  docker = dockerOf(daemon, dockerClients()[0] ?? '')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox:1')
  app = join(daemon.directory, 'app')
  mkdirSync(join(app, 'shared'), { recursive: true })
  writeFileSync(join(app, 'compose.yaml'), FILE)
  writeFileSync(join(app, 'base.yaml'), BASE)
})

after(async () => await daemon.stop())

async function glovebox(...words: readonly string[]) {
  const env = { PATH: process.env['PATH'], GLOVEBOX_HOST: daemon.socketPath, TOKEN: 'hidden' }
  const ended = await run(join(HOME, 'glovebox'), [...words, app], { env, timeoutMs: 60_000 })
  assert.equal(ended.code, 0, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`)
  return ended.stdout
}

const nameOf = async (service: string) =>
  await docker.must('ps', '--filter', `label=com.docker.compose.service=${service}`, '--format', '{{.Names}}')
const inside = async (service: string, ...command: readonly string[]) =>
  await docker.must('exec', await nameOf(service), ...command)

test('rarer fields reach the containers', async () => {
  await glovebox('up')
  assert.equal(await inside('web', 'cat', '/etc/conf'), 'for you')
  assert.equal(await inside('web', 'stat', '-c', '%u %a', '/etc/conf'), '7 440')
  assert.equal(await inside('web', 'cat', '/run/secrets/token'), 'hidden')
  assert.equal(await inside('web', 'cat', '/proc/1/oom_score_adj'), '100')
  assert.match(await inside('web', 'stat', '-c', '%F', '/dev/nothing'), /character/)
  assert.equal(await inside('web', 'cat', '/tmp/hook'), 'started with care')
  const { NetworkSettings } = await docker.inspect(await nameOf('web'))
  assert.ok(NetworkSettings.Networks['fields_default'].Aliases.includes('site'), 'the link is a name of its service')
})

test('a route leads to its service by the host that is asked for', async () => {
  const ask = async (host: string) =>
    await run('/bin/busybox', ['wget', '-q', '-O', '-', '--header', `Host: ${host}`, `http://127.0.0.1:${ROUTE_PORT}/passwd`])
  const { stdout } = await until('the route', LONG_MS, async () => {
    const answer = await ask('site.test')
    return answer.code === 0 ? answer : undefined
  })
  assert.match(stdout, /^root:/)
  assert.notEqual((await ask('other.test')).code, 0)
})

test('a task that shares namespaces of another begins anew with it', async () => {
  assert.match(await inside('side', 'ip', 'addr'), /10\.78\.0\.9/)
  assert.equal(await docker('exec', await nameOf('side'), 'touch', '/shared/x').then(({ code }) => code !== 0), true)
  const first = await docker.must('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', await nameOf('side'))
  await docker.must('kill', await nameOf('web'))
  await until('the side to share again', LONG_MS, async () => {
    const name = await nameOf('side')
    if (name === '' || (await docker.must('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', name)) === first) return undefined
    const { stdout } = await docker('exec', name, 'ip', 'addr')
    return stdout.includes('10.78.0.9') ? true : undefined
  })
})

test('hooks run before the end', async () => {
  await glovebox('down')
  assert.equal(readFileSync(join(app, 'shared/left'), 'utf8'), '')
})
