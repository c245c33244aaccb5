import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { systemClock } from '#base'
import type { EnvironmentRecord } from '#cluster/model'
import { openSqliteStore } from '#cluster/store'

import { busyboxImage, startTestDaemon, type TestDaemon, untilTrue } from './daemon-fixture.ts'

const CLI = join(import.meta.dirname, '../../build/cli.cjs')
const ROUTED_PORT = 18_473
const WORD = 'gb-environment-word'
const COMPOSE = `
services:
  api:
    image: api:1.0
    container_name: the-api
    command: [sh, -c, 'cp /version /data/index.html; echo "$$MODE" >> /data/index.html; exec httpd -f -h /data']
    environment: {MODE: plain}
    stop_grace_period: 0s
    ports: ['127.0.0.1:18474:80']
    volumes: [data:/data]
    secrets: [word, extra]
volumes: {data: {}}
secrets: {word: {file: ./word.txt}, extra: {file: ./word.txt}}
x-glovebox:
  routes:
    - {name: front, hosts: [shop.test], address: 127.0.0.1, port: ${ROUTED_PORT}, service: api, target_port: 80}
`

describe('environments of a whole daemon', { timeout: 60_000 }, () => {
  let daemon: TestDaemon
  let app: string
  before(async () => {
    daemon = await startTestDaemon()
    for (const version of ['1.0', '1.1', '1.2'])
      await daemon.importImage(`api:${version}`, busyboxImage([{ path: 'version', mode: 0o644, body: `${version} ` }]))
    app = mkdtempSync(join(tmpdir(), 'gb-env-'))
    writeFileSync(join(app, 'compose.yaml'), COMPOSE)
    writeFileSync(join(app, 'word.txt'), WORD)
  })
  after(async () => {
    await daemon.dispose()
    rmSync(app, { recursive: true, force: true })
  })

  const cli = (...words: readonly string[]) => {
    const place = ['--socket', daemon.client.socketPath, '--no-install']
    return spawnSync(process.execPath, [CLI, ...place, ...words], { encoding: 'utf8', timeout: 30_000 })
  }
  const must = (...words: readonly string[]) => {
    const { status, stdout, stderr } = cli(...words)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }
  const answerOf = async (host: string) => await textOf(ROUTED_PORT, host)

  test('three versions of an application run side by side, each reached at its own host and port', async () => {
    must('up', '--name', 'shop', app)
    const made = cli('env', 'create', 'pr-1', '--from', 'shop', '--set', 'api.image=api:1.1', '--set', 'api.environment.MODE=try')
    assert.equal(made.status, 0, made.stderr)
    assert.match(made.stderr, /note: api: its container is not called the-api/)
    assert.match(made.stderr, /note: api: another port of the host is chosen instead of 18474/)
    assert.match(made.stdout, /^http:\/\/pr-1\.shop\.test:18473$/m)
    must('env', 'create', 'pr-2', '--from', 'shop', '--set', 'api.image=api:1.2', '--host', 'two.test', '--ttl', '3d')
    assert.deepEqual(
      [await answerOf('shop.test'), await answerOf('pr-1.shop.test'), await answerOf('two.test')],
      ['1.0 plain\n', '1.1 try\n', '1.2 plain\n'],
    )
    const listed = must('env', 'ls', '--format', '{{.name}} {{.stackState}} {{join .urls " "}}').trim().split('\n')
    for (const line of listed) {
      const [name = '', state, route, published = ''] = line.split(' ')
      assert.deepEqual([state, route], ['ready', `http://${name === 'pr-2' ? 'two.test' : 'pr-1.shop.test'}:${ROUTED_PORT}`])
      assert.equal(await textOf(Number(new URL(published).port), 'any'), name === 'pr-2' ? '1.2 plain\n' : '1.1 try\n')
    }
    assert.equal((await daemon.exec('shop--pr-1-api-1', ['cat', '/run/secrets/word'])).output, WORD)
    const { stdout, status } = cli('env', 'diff', 'shop', 'pr-1')
    assert.equal(status, 1)
    assert.deepEqual(
      stdout.split('\n').flatMap((line) => (line.startsWith('api.') ? [line.split(/ +/).slice(0, 3).join(' ')] : [])),
      ['api.environment.MODE "plain" "try"', 'api.image "api:1.0" "api:1.1"'],
    )
  })

  test('what a copy writes, and what becomes of it, does not touch its application', async () => {
    await daemon.exec('shop--pr-1-api-1', ['sh', '-c', 'echo changed > /data/index.html'])
    assert.equal(await answerOf('pr-1.shop.test'), 'changed\n')
    assert.equal(await answerOf('shop.test'), '1.0 plain\n')
    must('env', 'set', 'pr-1', '--set', 'api.image=api:1.2')
    assert.equal(await answerOf('pr-1.shop.test'), '1.2 try\n')
    assert.equal(await answerOf('shop.test'), '1.0 plain\n')
    for (const words of [
      ['up', '--name', 'shop--pr-1', app],
      ['down', '--name', 'shop--pr-1'],
    ]) {
      const { status, stderr } = cli(...words)
      assert.equal(status, 1)
      assert.match(stderr, /shop--pr-1 is the environment pr-1 of shop/i)
    }
    assert.match(cli('env', 'create', 'pr-3', '--from', 'shop', '--copy-data').stderr, /--copy-data is not supported/)
    assert.match(
      cli('env', 'create', 'pr-3', '--from', 'shop', '--host', 'two.test').stderr,
      /two\.test:18473\/ is answered by shop--pr-2 already/i,
    )
  })

  test('one that is over goes with its volumes, also when the daemon was away at its end, and takes nothing else along', async () => {
    must('env', 'rm', 'pr-2')
    const names = () => must('volume', 'ls', '--format', '{{.Name}}').trim().split('\n').toSorted()
    assert.deepEqual(names(), ['shop--pr-1_data', 'shop_data'])
    await daemon.kill()
    await makeOver(join(daemon.root, 'cluster.db'), 'shop--pr-1')
    await daemon.launch()
    await untilTrue(20_000, async () => await Promise.resolve(must('env', 'ls', '--format', '{{.name}}') === ''))
    assert.deepEqual(names(), ['shop_data'])
    assert.equal(await answerOf('shop.test'), '1.0 plain\n')
    assert.equal(must('secret', 'ls', '--format', '{{.name}}'), 'shop_extra\nshop_word\n')
    assert.match(daemon.log(), /the time of an environment is over/)
  })

  test('a copy outlives its application, with what it has of its secrets', async () => {
    must('env', 'create', 'last', '--from', 'shop', '--ttl', 'never', '--secret', `extra=${join(app, 'word.txt')}`, '-d')
    must('down', '--name', 'shop')
    assert.equal(must('secret', 'ls', '--format', '{{.name}}'), 'shop--last_extra\nshop_word\n')
    await daemon.client.containers.remove('shop--last-api-1', { force: true })
    await untilTrue(20_000, async () => (await answerOf('last.shop.test').catch(() => '')) === '1.0 plain\n')
    assert.equal((await daemon.exec('shop--last-api-1', ['cat', '/run/secrets/word'])).output, WORD)
    must('env', 'rm', 'last')
    assert.equal(must('secret', 'ls', '-q', '--filter', 'name=last'), '')
  })
})

/** As if its time had passed while no daemon ran. */
async function makeOver(path: string, stack: string): Promise<void> {
  await using store = openSqliteStore({ path, clock: systemClock() })
  const entry = await store.get<EnvironmentRecord>(`environment/${stack}`)
  await store.write({
    puts: [{ key: `environment/${stack}`, value: { ...entry?.value, expiresAtMs: systemClock().nowMs() - 1000 } }],
  })
}

async function textOf(port: number, host: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', headers: { host }, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
