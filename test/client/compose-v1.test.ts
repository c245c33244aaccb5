import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run, spawnProgram, until } from '../support/processes.ts'

/** Debian's docker-compose: ten years of users, and the Python SDK beneath it. */
const COMPOSE = '/usr/bin/docker-compose'

const FILE = {
  version: '3.7',
  services: {
    web: {
      build: './web',
      environment: { GREETING: 'hello' },
      depends_on: ['store'],
      ports: ['127.0.0.1::80'],
      volumes: ['data:/data', './web:/source:ro'],
      networks: { front: null, back: { aliases: ['www'] } },
      healthcheck: { test: ['CMD', 'wget', '-q', '-O', '-', 'http://localhost/'], interval: '200ms', timeout: '2s' },
      restart: 'on-failure',
      labels: { tier: 'front' },
      stop_signal: 'SIGTERM',
      ulimits: { nofile: { soft: 500, hard: 600 } },
      init: true,
    },
    store: {
      image: 'busybox',
      command: ['sh', '-c', 'echo stored; exec sleep 1000'],
      networks: ['back'],
      stop_grace_period: '1s',
    },
  },
  networks: { front: {}, back: { driver: 'bridge', internal: true, ipam: { config: [{ subnet: '10.213.9.0/24' }] } } },
  volumes: { data: { labels: { of: 'exam' } } },
}

const DOCKERFILE =
  'FROM busybox\nARG WORDS=none\nCOPY index.html /www/\nENV ROOT=/www\nEXPOSE 80\nCMD exec httpd -f -p 80 -h $ROOT\n'

const options = existsSync(COMPOSE) ? {} : { skip: 'docker-compose is not installed; on Debian: apt-get install docker-compose' }

describe('docker-compose of version 1', options, () => {
  let daemon: TestDaemon
  const compose = async (...words: readonly string[]) => {
    const place = {
      DOCKER_HOST: `unix://${daemon.socketPath}`,
      COMPOSE_DOCKER_CLI_BUILD: '0',
      COMPOSE_API_VERSION: '1.41',
      DOCKER_BUILDKIT: '0',
    }
    const env = { PATH: process.env['PATH'], HOME: daemon.directory, COMPOSE_INTERACTIVE_NO_CLI: '1', ...place }
    // Its input stays open: at the end of that it closes the connection of an exec, under output that it has not read yet.
    const file = join(daemon.directory, 'app/compose.yml')
    return await spawnProgram(COMPOSE, ['-f', file, '-p', 'exam', ...words], env).finish()
  }
  const must = async (...words: readonly string[]) => {
    const ended = await compose(...words)
    assert.equal(ended.code, 0, `docker-compose ${words.join(' ')}: ${ended.stdout}${ended.stderr}`)
    return ended.stdout
  }
  const write = (file: typeof FILE) => writeFileSync(join(daemon.directory, 'app/compose.yml'), JSON.stringify(file))

  before(async () => {
    daemon = await startDaemon()
    const tar = await busyboxTar(daemon.directory)
    await dockerOf(daemon, dockerClients()[0] ?? '').must('import', '--change', 'ENV PATH=/bin', tar, 'busybox')
    mkdirSync(join(daemon.directory, 'app/web'), { recursive: true })
    writeFileSync(join(daemon.directory, 'app/web/Dockerfile'), DOCKERFILE)
    writeFileSync(join(daemon.directory, 'app/web/index.html'), 'served by compose\n')
    write(FILE)
  })
  after(async () => await daemon.stop())

  test('builds, starts and serves an application', async () => {
    await must('up', '-d', '--build')
    const address = (await must('port', 'web', '80')).trim()
    const page = await until('the page', 10_000, async () => {
      const answer = await run('curl', ['-sf', `http://${address}/`])
      return answer.code === 0 ? answer.stdout : undefined
    })
    assert.equal(page, 'served by compose\n')
    await until('web to be healthy', 10_000, async () => (/\(healthy\)/.test(await must('ps')) ? true : undefined))
  })

  test('looks at it: lists, logs, processes, images, commands inside', async () => {
    assert.match(await must('ps'), /exam_store_1 .* Up/)
    assert.match(await must('logs', '--no-color'), /store_1 .*\| stored/)
    assert.match(await must('top', 'store'), /sleep 1000/)
    assert.equal(await must('exec', '-T', 'web', 'cat', '/source/index.html'), 'served by compose\n')
    assert.match(await must('exec', '-T', 'store', 'wget', '-q', '-O', '-', 'http://www/'), /served by compose/)
    assert.equal((await compose('exec', '-T', 'web', 'sh', '-c', 'exit 7')).code, 7)
    assert.equal(await must('run', '--rm', '-T', 'store', 'sh', '-c', 'echo once'), 'once\n')
  })

  test('changes it: recreates what differs, scales, stops, pauses, restarts', async () => {
    const before = (await must('ps', '-q', 'web')).trim()
    write({ ...FILE, services: { ...FILE.services, web: { ...FILE.services.web, environment: { GREETING: 'changed' } } } })
    const again = await compose('up', '-d')
    assert.equal(again.code, 0, again.stderr)
    assert.match(again.stderr, /store_1 is up-to-date/)
    assert.notEqual((await must('ps', '-q', 'web')).trim(), before)
    assert.equal(await must('exec', '-T', 'web', 'sh', '-c', 'echo $GREETING'), 'changed\n')
    await must('up', '-d', '--scale', 'store=3')
    assert.equal((await must('ps', '-q', 'store')).trim().split('\n').length, 3)
    await must('pause', 'store')
    await must('unpause', 'store')
    await must('kill', 'store')
    await must('restart', '-t', '1', 'store')
    await must('stop', '-t', '1')
    assert.equal(await dockerOf(daemon, dockerClients()[0] ?? '').must('ps', '-q'), '')
  })

  test('and leaves nothing behind', async () => {
    await must('down', '-v', '-t', '1', '--rmi', 'local')
    const docker = dockerOf(daemon, dockerClients()[0] ?? '')
    assert.equal(await docker.must('ps', '-aq'), '')
    assert.equal(await docker.must('volume', 'ls', '-q'), '')
    assert.equal(await docker.must('network', 'ls', '-q', '--filter', 'type=custom'), '')
    assert.equal(await docker.must('images', '--format', '{{.Repository}}'), 'busybox')
  })
})
