import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'

let daemon: TestDaemon
let docker: Docker
let canary: string
let seal: string
let contexts = 0

before(async () => {
  daemon = await startDaemon()
  docker = dockerOf(daemon, dockerClients()[0] ?? 'docker')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox:test')
  canary = join(daemon.directory, 'canary')
  mkdirSync(join(canary, 'inside'), { recursive: true })
  writeFileSync(join(canary, 'song'), 'la la')
  seal = sealOf(canary)
})
after(async () => await daemon.stop())
afterEach(() => assert.equal(sealOf(canary), seal, 'something touched the canary'))

/** Names, modes, times and content of everything below. */
function sealOf(path: string): string {
  const names = readdirSync(path, { recursive: true })
    .map(String)
    .toSorted((a, b) => (a < b ? -1 : 1))
  const rows = names.map((name) => {
    const at = join(path, name)
    const { mode, mtimeMs, uid } = statSync(at)
    return [name, mode, mtimeMs, uid, statSync(at).isFile() ? readFileSync(at, 'latin1') : '']
  })
  return hash('sha256', JSON.stringify(rows))
}

function context(lines: readonly string[], files: Readonly<Record<string, string>> = {}): string {
  contexts += 1
  const directory = join(daemon.directory, `hostile-${contexts}`)
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), ['FROM busybox:test', ...lines].join('\n'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

const build = async (lines: readonly string[], files: Readonly<Record<string, string>> = {}) => {
  const { code, stdout, stderr } = await docker(
    'build',
    '--network',
    'none',
    '-t',
    `hostile:${contexts + 1}`,
    context(lines, files),
  )
  return { code, text: stdout + stderr }
}
const show = async (...words: readonly string[]) =>
  await docker.must('run', '--rm', '--network', 'none', `hostile:${contexts}`, ...words)

describe('hostile Dockerfiles', () => {
  test('28: a working directory over an open file or a link of the image stays inside', async () => {
    for (const number of [3, 7, 8, 9, 12]) {
      const { text } = await build([`WORKDIR /proc/self/fd/${number}/../../..`, 'RUN ls -a . ; cat ./etc/hostname; true'])
      assert.doesNotMatch(text, /canary|lost\+found/, String(number))
    }
    const { text } = await build([`RUN ln -s ${canary} /l`, 'WORKDIR /l/inside', 'RUN pwd; ls -a; echo planted > planted'])
    assert.doesNotMatch(text, /song/)
    assert.equal(await show('cat', `${canary}/inside/planted`), 'planted')
  })

  test('29: mounts lead neither out of the context nor out of a stage, and a cache is named by no path', async () => {
    assert.match(
      (await build(['RUN --mount=type=bind,source=../../../etc,target=/m ls /m'])).text,
      /Dockerfile:2: .*not there|no file/,
    )
    const stage = (source: string) => [
      `RUN ln -s ${canary} /out && ln -s / /root-link`,
      'FROM busybox:test',
      `RUN --mount=type=bind,from=0,source=${source},target=/m ls /m`,
    ]
    assert.match((await build(stage('/out'))).text, /there is no "\/out" to mount/)
    assert.doesNotMatch((await build(stage('/root-link/..'))).text.split('ls /m\n')[1] ?? '', /canary|song/)
    assert.equal((await build(['RUN --mount=type=cache,id=../../../canary,target=/c echo x > /c/y'])).code, 0)
    const caches = readdirSync(join(daemon.directory, 'root/build-caches'))
    assert.ok(
      caches.every((name) => /^[0-9a-f]{64}(?:\.\d+)?$/.test(name)),
      caches.join(' '),
    )
  })

  test('29: a directory that a parallel step swaps for a link is shown as it was', async () => {
    const lines = [
      'RUN mkdir /d && echo ok > /d/f',
      'FROM busybox:test AS swap',
      `RUN --mount=type=cache,target=/c,id=race for i in 1 2 3 4 5; do mkdir -p /c/s; echo ok > /c/s/song; rm -rf /c/s; ln -sfn ${canary} /c/s; rm /c/s; done`,
      'FROM busybox:test',
      'COPY --from=swap /bin/busybox /copied',
      'RUN --mount=type=cache,target=/c,id=race for i in 1 2 3 4 5 6 7 8; do cat /c/s/song; done 2>&1 | grep la && exit 9; true',
    ]
    assert.equal((await build(lines)).code, 0)
  })

  test('30: a step that puts a link where a mount stood removes nothing outside', async () => {
    const lines = [
      `RUN --mount=type=tmpfs,target=/a/b/c rm -rf /a; mv /a /moved; ln -s ${canary} /a; ln -s ${canary}/song /moved/b; true`,
      'RUN true',
    ]
    await build(lines)
  })

  test('31: no step has more rights than the client allowed, and no option of a mount is free text', async () => {
    assert.match((await build(['RUN --security=insecure true'])).text, /Dockerfile:2: .*not allowed/)
    assert.match((await build(['RUN --network=host true'])).text, /Dockerfile:2: .*not allowed/)
    assert.match((await build(['RUN --mount=type=bind,target=/x,bind-propagation=rshared true'])).text, /no option/)
  })

  test('32: links of a context, of a stage and of the destination lead nowhere outside', async () => {
    const directory = context(['COPY link/song /taken'])
    symlinkSync(canary, join(directory, 'link'))
    writeFileSync(join(directory, '.dockerignore'), `!${canary}/song\n!../canary/song\n`)
    assert.match((await docker('build', '--network', 'none', directory)).stderr, /Dockerfile:2: "link\/song" is not there/)
    const stage = [`RUN mkdir /x && ln -s ${canary} /x/etc`, 'FROM busybox:test', 'COPY --from=0 /x/etc/song /taken']
    assert.match((await build(stage)).text, /is not there/)
    assert.equal((await build([`RUN ln -s ${canary} /out`, 'COPY f /out/song'], { f: 'planted' })).code, 0)
    assert.equal(await show('cat', `${canary}/song`), 'planted')
  })

  test('34: a frontend that a file names is not fetched and not run', async () => {
    const directory = context(['RUN true'])
    writeFileSync(join(directory, 'Dockerfile'), '# syntax=evil.test/frontend:1\nFROM busybox:test\nRUN true\n')
    assert.equal((await docker('build', '--network', 'none', directory)).code, 0)
  })

  test('38: triggers and commands of a base run as steps of the build, with no more rights', async () => {
    await docker.must(
      'import',
      '--change',
      'ONBUILD RUN --security=insecure true',
      join(daemon.directory, 'busybox.tar'),
      'trigger:1',
    )
    const directory = context([])
    writeFileSync(join(directory, 'Dockerfile'), 'FROM trigger:1\n')
    assert.match((await docker('build', '--network', 'none', directory)).stderr, /not allowed/)
    await docker.must(
      'import',
      '--change',
      `ONBUILD COPY --from=${canary} /song /`,
      join(daemon.directory, 'busybox.tar'),
      'trigger:2',
    )
    writeFileSync(join(directory, 'Dockerfile'), 'FROM trigger:2\n')
    assert.notEqual((await docker('build', '--network', 'none', directory)).code, 0)
  })
})
