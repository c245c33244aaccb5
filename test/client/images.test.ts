import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { run } from '../support/processes.ts'
import { eachClient } from './each-client.ts'

const DOCKERFILE = `FROM busybox AS builder
ARG WORD=default
WORKDIR /src
COPY input .
RUN echo "$WORD $(cat input)" > /src/result && chmod 640 result
FROM busybox
LABEL made=here
ENV GREETING=hello
COPY --from=builder /src/result /app/result
USER app
WORKDIR /app
EXPOSE 8080/tcp
VOLUME /var/data
HEALTHCHECK --interval=5s CMD true
ENTRYPOINT ["sh", "-c"]
CMD ["echo $GREETING; id -u; pwd; ls -l result"]
`

function context(directory: string, input: string): string {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'Dockerfile'), DOCKERFILE)
  writeFileSync(join(directory, 'input'), input)
  writeFileSync(join(directory, '.dockerignore'), 'ignored\n')
  writeFileSync(join(directory, 'ignored'), 'x')
  return directory
}

eachClient('images', (bench) => {
  test('a Dockerfile of two stages builds, runs, and builds again from the cache', async () => {
    const { docker, daemon } = bench()
    const directory = context(join(daemon.directory, 'context'), 'one')
    const first = await docker.must('build', '--tag', 'built:1', directory)
    assert.match(first, /Successfully built [0-9a-f]{12}/)
    assert.match(first, /Successfully tagged built:1/)
    assert.doesNotMatch(first, /Using cache/)
    assert.match(await docker.must('run', '--rm', 'built:1'), /^hello\n1000\n\/app\n-rw-r-----\s+1 root\s+root\s+12 .*result$/)
    const again = await docker.must('build', '--tag', 'built:2', directory)
    assert.match(again, /Using cache/)
    assert.equal(
      await docker.must('images', '--quiet', '--no-trunc', 'built:1'),
      await docker.must('images', '--quiet', '--no-trunc', 'built:2'),
    )
    const word = await docker.must('build', '--quiet', '--build-arg', 'WORD=other', '--tag', 'built:3', directory)
    assert.match(word, /^sha256:[0-9a-f]{64}$/)
    assert.equal(await docker.must('run', '--rm', '-u', 'root', 'built:3', 'cat result'), 'other one')
    const image = await docker.inspect('built:1')
    assert.deepEqual([image.Config.User, image.Config.WorkingDir, image.Config.Labels], ['app', '/app', { made: 'here' }])
    assert.ok('8080/tcp' in image.Config.ExposedPorts && '/var/data' in image.Config.Volumes)
    await docker.must('rmi', 'built:1', 'built:2', 'built:3')
  })

  test('--target stops early, --no-cache starts anew, and a file from elsewhere is read', async () => {
    const { docker, daemon } = bench()
    const directory = context(join(daemon.directory, 'context2'), 'two')
    await docker.must('build', '--target', 'builder', '--tag', 'stage', directory)
    assert.equal(await docker.must('run', '--rm', 'stage', 'cat', '/src/result'), 'default two')
    assert.doesNotMatch(await docker.must('build', '--no-cache', '--target', 'builder', directory), /Using cache/)
    const { code, stdout } = await docker.with(
      { input: 'FROM busybox\nRUN echo from-stdin > /x\nCMD cat /x\n' },
      'build',
      '-t',
      'piped',
      '-',
    )
    assert.equal(code, 0, stdout)
    assert.equal(await docker.must('run', '--rm', 'piped'), 'from-stdin')
    await docker.must('rmi', 'stage', 'piped')
  })

  test('a step that fails stops the build with its exit code', async () => {
    const { docker } = bench()
    const { code, stdout, stderr } = await docker.with({ input: 'FROM busybox\nRUN echo visible; exit 9\n' }, 'build', '-')
    assert.notEqual(code, 0)
    assert.match(stdout, /visible/)
    assert.match(stderr, /returned a non-zero code: 9/)
    const unknown = await docker.with({ input: 'FROM busybox\nFROB x\n' }, 'build', '-')
    assert.match(unknown.stderr, /FROB/)
  })

  test('tag, images, history and rmi agree on what there is', async () => {
    const { docker } = bench()
    await docker.must('tag', 'busybox', 'repo/name:v1')
    assert.equal(await docker.must('images', '--format', '{{.Repository}}:{{.Tag}}', 'repo/name'), 'repo/name:v1')
    assert.equal((await docker.must('history', '--quiet', 'repo/name:v1')).split('\n').length, 1)
    assert.match(await docker.must('rmi', 'repo/name:v1'), /Untagged: repo\/name:v1/)
    await docker.must('create', '--name', 'holds', 'busybox')
    await docker.must('tag', 'busybox', 'spare')
    await docker.must('rmi', 'spare')
    assert.match((await docker('rmi', 'busybox')).stderr, /conflict/)
    await docker.must('rm', 'holds')
    assert.match((await docker('rmi', 'nosuch')).stderr, /No such image: nosuch/)
  })

  test('save and load carry an image with its names', async () => {
    const { docker, daemon } = bench()
    const archive = join(daemon.directory, 'saved.tar')
    await docker.must('build', '--tag', 'carried:1', context(join(daemon.directory, 'context3'), 'three'))
    const id = await docker.must('images', '--quiet', '--no-trunc', 'carried')
    await docker.must('save', '--output', archive, 'carried:1')
    assert.match((await run('tar', ['-tf', archive])).stdout, /manifest\.json/)
    await docker.must('rmi', 'carried:1')
    assert.match(await docker.must('load', '--input', archive), /Loaded image: carried:1/)
    assert.equal(await docker.must('images', '--quiet', '--no-trunc', 'carried'), id)
    assert.match(await docker.must('run', '--rm', 'carried:1'), /^hello/)
    await docker.must('rmi', 'carried:1')
  })

  test('several images go into one archive and come back, and one that is for another machine is told so', async () => {
    const { docker, daemon } = bench()
    const archive = join(daemon.directory, 'several.tar')
    await docker.must('tag', 'busybox', 'several/a:1')
    await docker.must('tag', 'busybox', 'several/a:2')
    await docker.must('run', '--name', 'made', 'busybox', 'sh', '-c', 'echo b > /b')
    await docker.must('commit', 'made', 'several/b:1')
    await docker.must('rm', 'made')
    await docker.must('save', '--output', archive, 'several/a', 'several/b:1')
    await docker.must('rmi', 'several/a:1', 'several/a:2', 'several/b:1')
    const loaded = await docker.must('load', '--input', archive)
    for (const name of ['several/a:1', 'several/a:2', 'several/b:1']) assert.ok(loaded.includes(`Loaded image: ${name}`), loaded)
    assert.equal(await docker.must('run', '--rm', 'several/b:1', 'cat', '/b'), 'b')
    await docker.must('rmi', 'several/a:1', 'several/a:2', 'several/b:1')
    const ask = async (...args: readonly string[]) =>
      (await run('curl', ['--silent', '--unix-socket', daemon.socketPath, ...args])).stdout
    const lines = await ask('--request', 'POST', '--upload-file', archive, 'http://docker/v1.41/images/load')
    const progress = lines
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            stream?: string
            status?: string
            id?: string
            progressDetail?: { current: number; total: number }
          },
      )
    assert.ok(
      progress.some(({ stream }) => stream === 'Loaded image: several/b:1\n'),
      lines,
    )
    for (const { stream, status, id, progressDetail } of progress)
      if (stream === undefined)
        assert.ok(status === 'Loading layer' && /^[0-9a-f]{12}$/.test(id ?? '') && (progressDetail?.total ?? 0) > 0, lines)
    const json = encodeURIComponent('{"os":"linux","architecture":"s390x"}')
    const foreign = await ask('--request', 'POST', '--upload-file', archive, `http://docker/v1.48/images/load?platform=${json}`)
    assert.match(foreign, /nothing for linux\/s390x/)
    assert.match(
      await ask(`http://docker/v1.48/images/several%2Fb:1/get?platform=${json}`),
      /does not match the specified platform/,
    )
    await docker.must('rmi', 'several/a:1', 'several/a:2', 'several/b:1')
  })

  test('import takes changes and a message, and what is not there to be had is refused by name', async () => {
    const { docker, daemon } = bench()
    const tar = join(daemon.directory, 'import.tar')
    await run('tar', ['-C', '/etc', '-cf', tar, 'hostname'])
    await docker.must('import', '--change', 'CMD ["/x"]', '--change', 'LABEL a=b', '--message', 'by hand', tar, 'imported:1')
    const image = await docker.inspect('imported:1')
    assert.deepEqual([image.Config.Cmd, image.Config.Labels, image.Comment], [['/x'], { a: 'b' }, 'by hand'])
    assert.match(await docker.must('history', '--format', '{{.Comment}}', 'imported:1'), /by hand/)
    assert.match(
      (await docker('import', 'http://example.org/x.tar')).stderr,
      /import from http:\/\/example\.org\/x\.tar is not supported/,
    )
    assert.match((await docker('search', 'debian')).stderr, /searching registries is not supported/)
    await docker.must('rmi', 'imported:1')
  })

  test('export of a container that runs is its file system, and import takes it back', async () => {
    const { docker, daemon } = bench()
    const archive = join(daemon.directory, 'exported.tar')
    await docker.must('run', '-d', '--name', 'live', 'busybox', 'sh', '-c', 'echo mine > /made; rm /etc/notes; exec sleep 100')
    await docker.must('exec', 'live', 'sleep', '0.05')
    await docker.must('export', '--output', archive, 'live')
    const { stdout } = await run('tar', ['-tf', archive])
    assert.match(stdout, /^(\.\/)?made$/m)
    assert.match(stdout, /^(\.\/)?bin\/busybox$/m)
    assert.doesNotMatch(stdout, /etc\/notes/)
    await docker.must('import', '--change', 'ENV PATH=/bin', archive, 'imported')
    assert.equal(await docker.must('run', '--rm', 'imported', 'cat', '/made'), 'mine')
    await docker.must('rm', '-f', 'live')
    await docker.must('rmi', 'imported')
  })

  test('image prune takes what has no name', async () => {
    const { docker } = bench()
    await docker.must('image', 'prune', '--force')
    await docker.with({ input: 'FROM busybox\nRUN echo 1 > /x\n' }, 'build', '-q', '-t', 'moving', '-')
    await docker.with({ input: 'FROM busybox\nRUN echo 2 > /x\n' }, 'build', '-q', '-t', 'moving', '-')
    assert.equal((await docker.must('images', '--quiet', '--filter', 'dangling=true')).split('\n').length, 1)
    await docker.must('image', 'prune', '--force')
    assert.equal(await docker.must('images', '--quiet', '--filter', 'dangling=true'), '')
    assert.match(await docker.must('system', 'df'), /Images\s+2/)
    await docker.must('rmi', 'moving')
  })
})
