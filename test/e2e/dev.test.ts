import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { busyboxTar } from '../support/image.ts'
import { createInstance, type Instance, until } from './instance.ts'

/** What a change may take to be seen in the container. */
const SOON_MS = 1000
const PATIENCE_MS = 60_000

const DOCKERFILE = `FROM busybox
COPY src /app
USER app
CMD ["sh", "-c", "echo version one; while :; do sleep 1; done"]
`

const COMPOSE = `name: workshop
services:
  web:
    build: .
    stop_grace_period: 1s
    develop:
      watch:
        - { path: src, action: sync, target: /app, ignore: [config/] }
        - { path: src/config, action: sync+restart, target: /app/config }
  plain:
    build: { context: plain, dockerfile_inline: "FROM busybox\\nCOPY word /word\\nCMD [\\"sleep\\", \\"1000\\"]\\n" }
    stop_grace_period: 1s
`

test('dev keeps an application at what is in its working tree', { timeout: 5 * 60_000 }, async (t) => {
  const instance = createInstance()
  t.after(() => instance.dispose())
  const app = project(instance.directory)
  await instance.mustRun('daemon', 'start')
  await instance.mustRun('image', 'import', await busyboxTar(instance.directory), 'busybox')
  const dev = startDev(instance, app.directory)
  t.after(() => dev.stop())
  const idOf = async (service: string) =>
    (await instance.mustRun('ps', '-q', '--filter', `label=com.docker.compose.service=${service}`)).stdout.trim()
  const inside = async (service: string, ...words: readonly string[]) =>
    (await instance.glovebox('exec', await idOf(service), ...words)).stdout.trim()
  await until('the files to be watched', PATIENCE_MS, async () => await Promise.resolve(dev.says('watching') || undefined))

  await t.test('a changed file is in the running container within a second, and belongs to its user', async () => {
    const before = await idOf('web')
    app.write('src/page', 'second')
    const changedMs = performance.now()
    await until('the new page', SOON_MS, async () => await Promise.resolve(dev.says('sent /app/page') || undefined))
    t.diagnostic(`sent after ${Math.round(performance.now() - changedMs)} ms`)
    assert.equal(await inside('web', 'cat', '/app/page'), 'second')
    assert.equal(await inside('web', 'stat', '-c', '%u:%g', '/app/page'), '1000:1000')
    assert.equal(await idOf('web'), before)
  })

  await t.test('new directories come along, and what is removed goes', async () => {
    app.write('src/new/deep/file', 'there')
    await until('the new file', PATIENCE_MS, async () =>
      (await inside('web', 'cat', '/app/new/deep/file')) === 'there' ? true : undefined,
    )
    rmSync(join(app.directory, 'src/new'), { recursive: true })
    await until('the file to go', PATIENCE_MS, async () =>
      (await inside('web', 'ls', '/app')).includes('new') ? undefined : true,
    )
  })

  await t.test('a rule that says so restarts the same container', async () => {
    const before = await idOf('web')
    app.write('src/config/level', '2')
    await until(
      'the restart',
      PATIENCE_MS,
      async () => await Promise.resolve(dev.says('sent /app/config/level, restarted') || undefined),
    )
    assert.equal(await inside('web', 'cat', '/app/config/level'), '2')
    assert.equal(await idOf('web'), before)
  })

  await t.test('a changed Dockerfile makes a new image and a new container, of that service alone', async () => {
    const [web, plain] = [await idOf('web'), await idOf('plain')]
    app.write('Dockerfile', DOCKERFILE.replace('version one', 'version two'))
    await until(
      'its output',
      PATIENCE_MS,
      async () => await Promise.resolve(/^web-\d+ +\| version two$/m.test(dev.output()) || undefined),
    )
    await until('the old one to go', PATIENCE_MS, async () => await Promise.resolve(dev.says('web: built in') || undefined))
    assert.notEqual(await idOf('web'), web)
    assert.equal(await idOf('plain'), plain)
    assert.equal(await inside('web', 'cat', '/app/page'), 'second')
  })

  await t.test('a Dockerfile that does not build is told, and mended by the next change', async () => {
    const before = await idOf('web')
    app.write('Dockerfile', `${DOCKERFILE}RUN echo the trouble && exit 3\n`)
    await until(
      'the failure',
      PATIENCE_MS,
      async () => await Promise.resolve(/>>> RUN echo the trouble/.test(dev.output()) || undefined),
    )
    assert.equal(await idOf('web'), before)
    app.write('Dockerfile', DOCKERFILE.replace('version one', 'version three'))
    await until('its output', PATIENCE_MS, async () => await Promise.resolve(dev.says('| version three') || undefined))
  })

  await t.test('a service without rules is built anew when its context changes', async () => {
    app.write('plain/word', 'other')
    await until('the word', PATIENCE_MS, async () => ((await inside('plain', 'cat', '/word')) === 'other' ? true : undefined))
  })

  await t.test('a changed Compose file is applied', async () => {
    app.write('compose.yaml', COMPOSE.replace('    build: .\n', '    build: .\n    environment: { LEVEL: high }\n'))
    await until('the variable', PATIENCE_MS, async () =>
      (await inside('web', 'sh', '-c', 'echo $LEVEL')) === 'high' ? true : undefined,
    )
  })

  await t.test('Ctrl-C leaves it running, and up has nothing to do', async () => {
    assert.equal(await dev.stop(), 0)
    assert.equal(await inside('web', 'cat', '/app/page'), 'second')
    assert.match((await instance.mustRun('up', app.directory)).stdout, /nothing to do/)
    await instance.mustRun('down', app.directory)
  })
})

function project(home: string) {
  const directory = join(home, 'workshop')
  const write = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  write('compose.yaml', COMPOSE)
  write('Dockerfile', DOCKERFILE)
  write('src/page', 'first')
  write('src/config/level', '1')
  write('plain/word', 'plain')
  return { directory, write }
}

function startDev(instance: Instance, directory: string) {
  const launcher = join(import.meta.dirname, '../../glovebox')
  const place = ['--root', join(instance.directory, 'root'), '--run-dir', instance.runDir, '--instance-name', instance.name]
  const child = spawn(launcher, [...place, 'dev', directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 128)))
  return {
    output: () => output,
    says: (words: string) => output.includes(words),
    stop: async () => {
      child.kill('SIGINT')
      return await ended
    },
  }
}
