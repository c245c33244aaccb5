import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { run, until } from '../support/processes.ts'
import { cliBench } from './cli-bench.ts'

describe('glovebox build', () => {
  const bench = cliBench()
  const project = (name: string, files: Readonly<Record<string, string>>): string => {
    const directory = join(bench().daemon.directory, name)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(directory, path, '..'), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    return directory
  }

  test('sends what changed, takes the rest from the cache, and gives the id', async () => {
    const { cli } = bench()
    const app = project('plain', {
      Dockerfile: 'FROM busybox\nCOPY . /app\nRUN cat /app/word\n',
      word: 'first\n',
      ignored: 'x',
      '.dockerignore': 'ignored\n',
    })
    // Files of the last 50 ms are sent once more: a change right after the look at them might leave their times as they are.
    await setTimeout(60)
    const first = await cli('build', '-t', 'app:1', app)
    assert.match(first.stderr, /4 files|3 files, 3 changed/)
    assert.match(first.stderr, /#\d+ \d\.\d{3} first\n#\d+ DONE/)
    assert.match(first.stdout, /^sha256:[0-9a-f]{64}\n$/)
    const again = await cli('build', '-t', 'app:1', app)
    assert.match(again.stderr, /, 0 changed, 0B done/)
    assert.equal(again.stderr.match(/CACHED/g)?.length, 2)
    assert.equal(again.stdout, first.stdout)
    writeFileSync(join(app, 'word'), 'second\n')
    const other = await cli('build', '--progress', 'rawjson', app)
    const news = other.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly kind: string; readonly wantedCount?: number; readonly text?: string })
    assert.equal(news.find(({ kind, wantedCount }) => kind === 'context' && wantedCount !== 0)?.wantedCount, 1)
    assert.ok(news.some(({ kind, text }) => kind === 'output' && text === 'second\n'))
    assert.doesNotMatch(await cli.must('run', '--rm', 'app:1', 'ls', '/app'), /ignored/)
  })

  test('shows where a build failed: the output, the lines, and exit code 1', async () => {
    const { cli } = bench()
    const ended = await cli.with({ input: 'FROM busybox\nRUN echo the trouble \\\n  && exit 7\n' }, 'build', '-')
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /> \[2\/2\] RUN echo the trouble/)
    assert.match(ended.stderr, /2 \| >>> RUN echo the trouble \\\n {2}3 \| >>> {3}&& exit 7\n/)
    assert.match(ended.stderr, /glovebox: Dockerfile:2: /)
  })

  test('takes secrets, arguments, a Dockerfile from elsewhere, an archive', async () => {
    const { cli } = bench()
    const app = project('parts', {
      'context/word': 'here\n',
      'context/.dockerignore': 'hidden\n',
      'context/hidden': 'x',
      token: 'tok',
    })
    const dockerfile = project('elsewhere', {
      Dockerfile:
        'FROM busybox\nARG WHO\nRUN --mount=type=secret,id=t echo "$WHO $(wc -c < /run/secrets/t)" > /who\nCOPY . /app\n',
    })
    const flags = [
      '-q',
      '-f',
      join(dockerfile, 'Dockerfile'),
      '--build-arg',
      'WHO=me',
      '--secret',
      `id=t,src=${join(app, 'token')}`,
    ]
    await cli.must('build', ...flags, '-t', 'parts', join(app, 'context'))
    assert.equal(await cli.must('run', '--rm', 'parts', 'sh', '-c', 'cat /who; ls -A /app'), 'me 3\n.dockerignore\nword')
    const tar = join(app, 'context.tar')
    await run('tar', ['-C', join(bench().daemon.directory, 'plain'), '-czf', tar, '.'])
    const piped = await cli.with({ input: readFileSync(tar) }, 'build', '-q', '-')
    assert.match(piped.stdout, /^sha256:/)
  })

  test('checks, lists targets and tells what a target takes, and builds nothing', async () => {
    const { cli } = bench()
    const text = '# the app\nFROM busybox as web\n# WHO is whom to greet\nARG WHO=you\nRUN true\n'
    const app = project('calls', { Dockerfile: text })
    const check = await cli('build', '--check', app)
    assert.equal(check.code, 1)
    assert.match(check.stdout, /WARNING: FromAsCasing\n.*\nDockerfile:2\n/)
    assert.match(await cli.must('build', '--call=targets', app), /web \(default\) +busybox/)
    assert.match(await cli.must('build', '--call=outline', app), /WHO +you +.*whom to greet/)
    writeFileSync(join(app, 'Dockerfile'), text.replace(' as ', ' AS '))
    assert.equal((await cli('build', '--check', app)).code, 0)
  })

  test('gives the result as files, as an archive, and notes', async () => {
    const { cli, daemon } = bench()
    const app = project('outputs', { Dockerfile: 'FROM scratch\nCOPY word /word\n', word: 'out\n' })
    const at = (name: string) => join(daemon.directory, name)
    await cli.must('build', '-q', '-o', at('files'), app)
    assert.equal(readFileSync(join(at('files'), 'word'), 'utf8'), 'out\n')
    await cli.must('build', '-q', '-o', `type=oci,dest=${at('image.tar')}`, '-t', 'outputs', app)
    assert.match((await run('tar', ['-tf', at('image.tar')])).stdout, /^index\.json$/m)
    const notes = ['--iidfile', at('iid'), '--metadata-file', at('metadata.json')]
    const id = await cli.must('build', '-q', ...notes, '-t', 'outputs:2', app)
    assert.equal(readFileSync(at('iid'), 'utf8'), id)
    const metadata = JSON.parse(readFileSync(at('metadata.json'), 'utf8')) as Readonly<Record<string, string>>
    assert.equal(metadata['containerimage.config.digest'], id)
    assert.match(metadata['image.name'] ?? '', /outputs:2/)
  })

  test('refuses by name what it cannot do', async () => {
    const { cli } = bench()
    for (const [words, message] of [
      [['--builder', 'other', '.'], /--builder is not supported/],
      [['--squash', '.'], /--squash is not supported/],
      [['--network', 'some', '.'], /--network "some"/],
      [['-o', 'type=cacheonly', '.'], /type=cacheonly/],
      [['--check', '--call', 'build', '.'], /exclude each other/],
    ] as const) {
      const { code, stderr } = await cli('build', ...words)
      assert.equal(code, 2, words.join(' '))
      assert.match(stderr, message)
    }
  })

  test('Ctrl-C ends the build and its command', async () => {
    const { cli } = bench()
    const app = project('endless', { Dockerfile: 'FROM busybox\nRUN echo begun; sleep 1000.75\n' })
    const building = cli.spawn('build', app)
    await building.shows(/\d begun/)
    building.kill('SIGINT')
    assert.equal((await building.finish()).code, 130)
    await until('the command to end', 10_000, async () =>
      (await run('pgrep', ['-f', 'sleep 1000.75'])).code === 1 ? true : undefined,
    )
  })

  test('builds the services of a Compose file side by side, and up has nothing left to build', async () => {
    const { cli, daemon } = bench()
    const app = project('stack', {
      'compose.yaml': `name: pair
services:
  one: { build: { context: ., dockerfile: One, args: { WORD: x } }, stop_grace_period: 1s }
  two: { build: { context: ., dockerfile_inline: "FROM busybox\\nCOPY shared /shared\\nCMD sleep 1000\\n", labels: { a: b } }, stop_grace_period: 1s }
`,
      One: 'FROM busybox\nARG WORD\nRUN echo $WORD > /word\nCOPY shared /shared\nCMD sleep 1000\n',
      shared: 'both\n',
    })
    const inside = ['-c', 'cd "$1" && shift && exec "$0" "$@"', cli.launcher, app, 'build']
    const built = await run('sh', inside, { env: cli.env })
    assert.equal(built.code, 0, built.stderr)
    assert.match(built.stdout, / pair-one\n.* pair-two\n$/)
    assert.match(built.stderr, /\[one 2\/4\]|\[one \d\/\d\]/)
    const one = await run('sh', [...inside, '-q', '--service', 'one'], { env: cli.env })
    assert.equal(one.stdout.trim(), built.stdout.split(' ')[0])
    assert.equal(await cli.must('run', '--rm', 'pair-one', 'cat', '/word', '/shared'), 'x\nboth')
    const up = await daemon.glovebox('up', app)
    assert.equal(up.code, 0, up.stderr)
    assert.doesNotMatch(up.stderr, /Building/)
    assert.equal((await daemon.glovebox('down', app)).code, 0)
  })
})
