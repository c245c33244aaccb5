import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'

let daemon: TestDaemon
let docker: Docker
let contexts = 0

before(async () => {
  daemon = await startDaemon()
  docker = dockerOf(daemon, dockerClients()[0] ?? 'docker')
  await docker.must('import', await busyboxTar(daemon.directory), 'busybox:test')
})
after(async () => await daemon.stop())

/** A context directory with a Dockerfile and files. */
function context(dockerfile: string, files: Readonly<Record<string, string>> = {}): string {
  contexts += 1
  const directory = join(daemon.directory, `context-${contexts}`)
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

const build = async (directory: string, ...flags: readonly string[]) =>
  await docker.must('build', '--network', 'none', ...flags, directory)

describe('the classic builder', () => {
  test('stages, arguments, files and commands make an image that runs', async () => {
    const directory = context(
      [
        'ARG BASE=busybox:test',
        'FROM $BASE AS tools',
        'ARG WHO=nobody',
        'WORKDIR /job',
        'COPY src/ ./',
        'RUN cat a.txt b.txt > both.txt && echo "made for $WHO" >> both.txt',
        'FROM busybox:test',
        'COPY --from=tools --chown=app:app --chmod=640 /job/both.txt /data/',
        'ENV GREETING="hello there"',
        'USER app',
        'ENTRYPOINT ["/bin/sh", "-c"]',
        'CMD ["echo $GREETING; cat /data/both.txt; stat -c %U:%a /data/both.txt"]',
      ].join('\n'),
      { 'src/a.txt': 'a\n', 'src/b.txt': 'b\n' },
    )
    await build(directory, '-t', 'staged:1', '--build-arg', 'WHO=us')
    assert.equal(await docker.must('run', '--rm', '--network', 'none', 'staged:1'), 'hello there\na\nb\nmade for us\napp:640')
  })

  test('a second build takes every step from the cache, and one changed file redoes the steps after it', async () => {
    const directory = context('FROM busybox:test\nRUN echo first > /first\nCOPY file.txt /\nRUN date +%s%N > /when\n', {
      'file.txt': 'one',
    })
    await build(directory, '-t', 'cached:1')
    const again = await build(directory, '-t', 'cached:2')
    assert.equal(again.match(/Using cache/g)?.length, 3)
    assert.equal((await docker.inspect('cached:1')).Id, (await docker.inspect('cached:2')).Id)
    writeFileSync(join(directory, 'file.txt'), 'two')
    const changed = await build(directory, '-t', 'cached:3')
    assert.equal(changed.match(/Using cache/g)?.length, 1)
    assert.equal(await docker.must('run', '--rm', '--network', 'none', 'cached:3', 'cat', '/file.txt'), 'two')
  })

  test('a step that fails ends the build with its exit code and leaves no image', async () => {
    const { code, stderr } = await docker(
      'build',
      '--network',
      'none',
      '-t',
      'failing:1',
      context('FROM busybox:test\nRUN exit 7\n'),
    )
    assert.equal(code, 7)
    assert.match(stderr, /7/)
    assert.equal((await docker('image', 'inspect', 'failing:1')).code, 1)
  })

  test('mounts of a step are there while it runs and not in the layer', async () => {
    const directory = context(
      [
        'FROM busybox:test',
        'RUN --mount=type=tmpfs,target=/scratch --mount=type=cache,target=/cache,id=c echo x > /scratch/x && echo kept >> /cache/f',
        'RUN --mount=type=cache,target=/cache,id=c cp /cache/f /from-cache; ls -d /scratch /cache > /seen 2>&1; true',
        'RUN <<EOF',
        '#!/bin/sh',
        'echo from a document > /document',
        'EOF',
      ].join('\n'),
    )
    await build(directory, '-t', 'mounts:1')
    const show = async (...words: readonly string[]) =>
      await docker.must('run', '--rm', '--network', 'none', 'mounts:1', ...words)
    assert.equal(await show('cat', '/from-cache'), 'kept')
    assert.match(await show('cat', '/seen'), /\/scratch: No such file/)
    assert.equal(await show('cat', '/document'), 'from a document')
    assert.match((await docker('run', '--rm', '--network', 'none', 'mounts:1', 'ls', '/cache')).stderr, /No such file/)
  })

  test('links in a context and in the image lead nowhere outside', async () => {
    const text = 'FROM busybox:test\nRUN ln -s /etc /out\nCOPY passwd /out/planted\nCOPY inside/ /inside/\n'
    const directory = context(text, { passwd: 'planted\n', 'inside/file': 'x' })
    symlinkSync('/etc/hostname', join(directory, 'inside/link'))
    await build(directory, '-t', 'links:1')
    const show = async (...words: readonly string[]) => await docker.must('run', '--rm', '--network', 'none', 'links:1', ...words)
    assert.equal(await show('cat', '/etc/planted'), 'planted')
    assert.equal(await show('readlink', '/inside/link'), '/etc/hostname')
    // Named as a source a link is followed, but inside the context only: there is no /etc there.
    symlinkSync('/etc/passwd', join(directory, 'link'))
    writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox:test\nCOPY link /taken\n')
    assert.match((await docker('build', '--network', 'none', directory)).stderr, /Dockerfile:2: "link" is not there/)
  })

  test('what is wrong is told with its line', async () => {
    const refused = async (text: string) => (await docker('build', '--network', 'none', context(text))).stderr
    assert.match(await refused('FROM busybox:test\nRUNN echo\n'), /Dockerfile:2/)
    assert.match(await refused('FROM busybox:test\nRUN --security=insecure echo\n'), /Dockerfile:2.*security/)
    assert.match(await refused('FROM nothing-of-the-kind:1\n'), /nothing-of-the-kind:1/)
    assert.match(await refused('FROM busybox:test\nCOPY absent /\n'), /absent/)
  })

  test('mounts of RUN show what they name, and nothing of them stays', async () => {
    const directory = context(
      [
        'FROM busybox:test AS made',
        'RUN mkdir -p /out/deep && echo made > /out/deep/file && ln -s /out/deep /short',
        'FROM busybox:test',
        'RUN --mount=target=/context cat /context/src/a.txt > /seen',
        'RUN --mount=from=made,source=/short,target=/made,rw echo scribble > /made/other && cat /made/file >> /seen',
        'RUN --mount=source=src/a.txt,target=/one cat /one >> /seen && ! touch /one',
        'RUN --mount=type=cache,id=seeded,from=made,source=/out,target=/cache cat /cache/deep/file >> /seen && echo kept > /cache/new',
        'RUN --mount=type=cache,id=seeded,from=made,source=/out,target=/cache cat /cache/new >> /seen',
        'RUN ls -d /context /made /one /cache >> /seen 2>/dev/null || true',
      ].join('\n'),
      { 'src/a.txt': 'a\n' },
    )
    await build(directory, '-t', 'mounts:1')
    assert.equal(await docker.must('run', '--rm', '--network', 'none', 'mounts:1', 'cat', '/seen'), 'a\nmade\na\nmade\nkept')
  })

  test('the Dockerfile of the manual builds as it stands, on a base with tools that stand in for the real ones', async () => {
    const base = 'FROM busybox:test\nCOPY --chmod=755 bin/ /usr/local/bin/\nCOPY --chmod=755 dep /stand-in/dep\n'
    const tools = {
      'bin/apk': '#!/bin/sh\necho "$@" >> /apk.log\n',
      'bin/go':
        '#!/bin/sh\ncase "$1" in\nget) cp /stand-in/dep /usr/local/bin/dep;;\nbuild) cat main.go vendor/lib > "$3" && chmod 755 "$3";;\nesac\n',
      dep: '#!/bin/sh\nmkdir vendor && cat Gopkg.lock > vendor/lib\n',
    }
    await build(context(base, tools), '-t', 'golang:1.9.2-alpine3.6')
    const text = [
      'FROM golang:1.9.2-alpine3.6',
      'RUN apk add --no-cache git',
      'RUN go get github.com/golang/dep/cmd/dep',
      'COPY Gopkg.lock Gopkg.toml /go/src/project/',
      'WORKDIR /go/src/project/',
      'RUN dep ensure -vendor-only',
      'COPY . /go/src/project/',
      'RUN go build -o /bin/project',
      '',
      'FROM busybox:test',
      'COPY --from=0 /bin/project /bin/project',
      'ENTRYPOINT ["/bin/project"]',
      'CMD ["--help"]',
    ].join('\n')
    await build(
      context(text, { 'Gopkg.lock': 'echo vendored\n', 'Gopkg.toml': '', 'main.go': '#!/bin/sh\necho main "$@"\n' }),
      '-t',
      'project:1',
    )
    assert.equal(await docker.must('run', '--rm', '--network', 'none', 'project:1'), 'main --help\nvendored')
  })
})
