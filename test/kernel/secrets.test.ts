import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { busyboxImage, startTestDaemon, type TestDaemon, untilTrue } from './daemon-fixture.ts'

const CLI = join(import.meta.dirname, '../../build/cli.cjs')
const MARK = 'gb-secret-4c1d-in-memory-only'
const COMPOSE = `
services:
  web:
    image: box:1
    command: [sleep, '1000']
    stop_grace_period: 0s
    read_only: true
    secrets:
      - password
      - {source: token, target: /etc/token, uid: '1000', gid: '1000', mode: 0400}
    configs:
      - {source: conf, target: /etc/app.conf}
secrets:
  password: {file: ./password.txt}
  token: {external: true}
configs:
  conf: {content: 'port = 80'}
`
const FILES = '/run/secrets/password /etc/token /etc/app.conf'.split(' ')

describe('secrets of a whole daemon', { timeout: 60_000 }, () => {
  let daemon: TestDaemon
  let app: string
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.importImage('box:1', busyboxImage())
    app = mkdtempSync(join(tmpdir(), 'gb-secrets-'))
    writeFileSync(join(app, 'compose.yaml'), COMPOSE)
    writeFileSync(join(app, 'password.txt'), `${MARK} password`)
  })
  after(async () => {
    await daemon.dispose()
    rmSync(app, { recursive: true, force: true })
  })

  const cli = (words: readonly string[], input = '') => {
    const place = ['--socket', daemon.client.socketPath, '--no-install']
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...place, ...words], { input, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  const must = (words: readonly string[], input?: string) => {
    const { status, stdout, stderr } = cli(words, input)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
    return stdout
  }
  const running = () => must(['ps', '--filter', 'label=com.docker.compose.service=web', '--format', '{{.Names}}']).trim()
  /** Everything of the daemon that lasts, and all that it says; what is in memory is not looked into. */
  const onDisk = () =>
    spawnSync('grep', ['-rlaF', '-D', 'skip', '--exclude-dir=memory', '--exclude-dir=ns', MARK, daemon.root, daemon.runDir], {
      encoding: 'utf8',
    }).stdout

  test('an application does not start without a secret that it calls external', () => {
    const { status, stderr } = cli(['up', app])
    assert.notEqual(status, 0)
    assert.match(stderr, /secret token, which the application gb-secrets-\w+ calls external, not found/i)
  })

  test('values go from the command line into the memory of tasks, and to no disk, list, log or archive', async () => {
    must(['secret', 'create', '--label', 'team=shop', 'token'], `${MARK} token`)
    must(['up', '--name', 'shop', app])
    const { output } = await daemon.exec('shop-web-1', ['cat', ...FILES])
    assert.equal(output, `${MARK} password${MARK} tokenport = 80`)
    assert.equal(
      (await daemon.exec('shop-web-1', ['stat', '-c', '%u %g %a', ...FILES])).output,
      '0 0 444\n1000 1000 400\n0 0 444\n',
    )
    assert.equal(onDisk(), '')
    assert.equal(daemon.log().includes(MARK), false)
    const shown = [
      must(['secret', 'ls', '--format', 'json']),
      must(['secret', 'inspect', 'token', 'shop_password']),
      must(['inspect', 'shop-web-1']),
      must(['status', 'shop', '--format', 'json']),
    ]
    assert.equal(shown.join('').includes(MARK), false)
    assert.match(must(['secret', 'ls', '--filter', 'label=team=shop', '-q']), /^[0-9a-z]{25}\n$/)
    const copied = cli(['cp', 'shop-web-1:/etc', '-'])
    assert.equal(copied.status, 0)
    assert.equal(copied.stdout.includes(MARK), false)
    assert.notEqual(cli(['cp', 'shop-web-1:/etc/token', '-']).status, 0)
  })

  test('a killed daemon comes back to the secrets, and tasks never miss theirs', async () => {
    await daemon.kill()
    await daemon.launch()
    assert.equal((await daemon.exec('shop-web-1', ['cat', '/etc/token'])).output, `${MARK} token`)
    must(['secret', 'rotate', 'token', '-'], `${MARK} token 2`)
    assert.equal(must(['secret', 'inspect', '-f', '{{.version}}', 'token']), '2\n')
    assert.equal(must(['secret', 'rotate-key']), '2 secrets are encrypted with a new key\n')
    // Another container takes the place of one that is gone, and then one with the new value: a new version is another revision.
    await daemon.client.containers.remove('shop-web-1', { force: true })
    must(['up', '--name', 'shop', app])
    assert.equal((await daemon.exec(running(), ['cat', '/etc/token'])).output, `${MARK} token 2`)
    assert.equal(onDisk(), '')
  })

  test('after a restart of everything tasks have their files again', async () => {
    const places = ['--root', daemon.root, '--run-dir', daemon.runDir, '--instance-name', daemon.name]
    must([...places, 'daemon', 'stop'])
    await daemon.launch()
    await untilTrue(20_000, () => running() !== '')
    const { output } = await daemon.exec(running(), ['cat', ...FILES])
    assert.equal(output, `${MARK} password${MARK} token 2port = 80`)
    assert.equal(onDisk(), '')
  })

  test('an application takes along what it brought, and leaves what it called external', () => {
    must(['down', '--name', 'shop', app])
    assert.equal(must(['secret', 'ls', '--format', '{{.name}}']), 'token\n')
    assert.equal(must(['config', 'ls', '-q']), '')
    must(['secret', 'rm', 'token'])
    assert.equal(cli(['secret', 'rm', 'token']).status, 1)
  })
})
