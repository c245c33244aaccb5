import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { type Ended, run, spawnProgram, until } from '../support/processes.ts'
import { cliBench } from './cli-bench.ts'

const HOME = join(import.meta.dirname, '../..')
const PROGRAM = join(HOME, 'build/cli.cjs')
const SHIM = join(HOME, 'build/native/glovebox-shim')
/** What the program ends with that stands in Node's place: the daemon did not do it. */
const NOT_SERVED = 99

describe('glovebox build, run by the daemon', () => {
  const bench = cliBench()
  const project = (name: string, files: Readonly<Record<string, string>>): string => {
    const directory = join(bench().daemon.directory, name)
    mkdirSync(directory, { recursive: true })
    for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text)
    return directory
  }
  const standIn = (): string => {
    const path = join(bench().daemon.directory, 'stand-in')
    writeFileSync(path, `#!/bin/sh\nexit ${NOT_SERVED}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const served = async (...words: readonly string[]) =>
    await run(SHIM, ['ask', standIn(), PROGRAM, 'build', ...words], bench().cli)
  const own = async (...words: readonly string[]) => await run(process.execPath, [PROGRAM, 'build', ...words], bench().cli)
  /** `script` gives both a terminal of the same size. */
  const onTerminal = async (...words: readonly string[]): Promise<Ended> => {
    const line = words.map((word) => `'${word}'`).join(' ')
    return await run('script', ['-qec', `stty rows 30 cols 100; ${line}; echo "code $?"`, '/dev/null'], bench().cli)
  }

  test('prints what its own process would print, and ends with the same code', async () => {
    const good = project('good', {
      Dockerfile: 'FROM busybox\nARG WHO=you\nCOPY . /app\nRUN echo hello $WHO; echo more >&2\n',
      word: 'x',
    })
    const bad = project('bad', { Dockerfile: 'FROM busybox\nRUN true\nRUN echo trouble; exit 7\n' })
    const odd = project('odd', { Dockerfile: 'FROM busybox as web\nRUN true\n' })
    for (const [code, ...words] of [
      [0, '-t', 'served:1', good],
      [0, '-q', '--build-arg', 'WHO=me', '--label', 'a=b', good],
      [0, '--progress', 'tty', good],
      [0, '--no-cache', '--network', 'none', good],
      [0, '-f', join(good, 'Dockerfile'), good],
      [1, '--check', odd],
      [0, '--call=targets', odd],
      [1, bad],
    ] as const) {
      await own(...words)
      const [here, there] = [await own(...words), await served(...words)]
      assert.equal(here.code, code, `${words.join(' ')}: ${here.stderr}`)
      // What is made anew has the time in its name.
      const calm = words.includes('--no-cache') ? withoutIds : withoutTimes
      assert.deepEqual(calm(there), calm(here), words.join(' '))
    }
  })

  test('draws on a terminal as its own process does', async () => {
    const app = project('drawn', { Dockerfile: 'FROM busybox\nCOPY . /app\nRUN echo hello\n', word: 'x' })
    const words = ['build', '-t', 'drawn:1', app]
    await own('-q', app)
    const here = await onTerminal(process.execPath, PROGRAM, ...words)
    const there = await onTerminal(SHIM, 'ask', standIn(), PROGRAM, ...words)
    assert.match(there.stdout, /\[34m.*FINISHED/)
    assert.deepEqual(lastDrawing(there), lastDrawing(here))
  })

  test('leaves to their own process what needs more of the caller than their files, and what fails at once', async () => {
    const { daemon } = bench()
    const app = project('left', { Dockerfile: 'FROM busybox\n', token: 't', 'compose.yaml': 'services: {}\n' })
    symlinkSync('Dockerfile', join(app, 'Linked'))
    for (const words of [
      ['-'],
      [],
      ['-f', '-', app],
      ['-f', '/dev/stdin', app],
      ['-f', join(app, 'Linked'), app],
      ['-f', join(app, 'absent'), app],
      ['--secret', `id=t,src=${join(app, 'token')}`, app],
      ['--ssh', 'default', app],
      ['--build-arg', 'HOME', app],
      ['--iidfile', join(app, 'iid'), app],
      ['-o', join(app, 'out'), app],
      ['--push', '-t', 'localhost:1/x', app],
      ['--no-such-flag', app],
      ['https://example.org/x.git'],
      [join(app, 'absent')],
      [app, 'two'],
      ['--target', 'absent', app],
      ['--host', daemon.socketPath, app],
    ])
      assert.equal((await served(...words)).code, NOT_SERVED, words.join(' '))
  })

  test('reads nothing for those who are not root, and for another program', async () => {
    const { cli, daemon } = bench()
    const app = project('others', { Dockerfile: 'FROM busybox\n' })
    assert.equal((await served('-q', app)).code, 0)
    chmodSync(daemon.directory, 0o755)
    chmodSync(join(daemon.directory, 'run'), 0o755)
    chmodSync(daemon.socketPath, 0o666)
    const shim = join(daemon.directory, 'shim')
    await run('cp', [SHIM, shim])
    const asNobody = [
      '--reuid',
      '65534',
      '--regid',
      '65534',
      '--clear-groups',
      shim,
      'ask',
      standIn(),
      PROGRAM,
      'build',
      '-q',
      app,
    ]
    assert.equal((await run('setpriv', asNobody, cli)).code, NOT_SERVED)
    const other = join(daemon.directory, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'cli-lib.cjs'), '')
    assert.equal((await run(SHIM, ['ask', standIn(), join(other, 'cli.cjs'), 'build', '-q', app], cli)).code, NOT_SERVED)
  })

  test('sees the mounts of the caller, also those that the daemon does not', async () => {
    const { cli } = bench()
    const app = project('mounted', { Dockerfile: 'FROM busybox\nCOPY . /app\nRUN cat /app/inner/word\n' })
    mkdirSync(join(app, 'inner'))
    const mount = `mount -t tmpfs none ${app}/inner && echo theirs > ${app}/inner/word && exec ${SHIM} ask ${standIn()} ${PROGRAM} build`
    const ended = await run('unshare', ['-m', 'sh', '-c', `${mount} --progress plain ${app}`], cli)
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(ended.stderr, / theirs\n/)
    const over = `mount -t tmpfs none ${app} && echo FROM scratch > ${app}/Dockerfile && exec ${SHIM} ask ${standIn()} ${PROGRAM} build ${app}`
    assert.equal((await run('unshare', ['-m', 'sh', '-c', over], cli)).code, NOT_SERVED)
  })

  test('Ctrl-C, and the end of the caller, end the build and its command', async () => {
    const { cli } = bench()
    for (const [signal, seconds] of [
      ['SIGINT', '1000.31'],
      ['SIGTERM', '1000.32'],
      ['SIGKILL', '1000.33'],
    ] as const) {
      const app = project(`endless-${signal}`, { Dockerfile: `FROM busybox\nRUN echo begun; sleep ${seconds}\n` })
      const building = spawnProgram(SHIM, ['ask', standIn(), PROGRAM, 'build', app], cli.env)
      await building.shows(/\d begun/)
      building.kill(signal)
      const { code, stderr } = await building.finish()
      if (signal !== 'SIGKILL') {
        assert.equal(code, 130)
        assert.match(stderr, /glovebox: the build was cancelled\n$/)
      }
      await until('the command to end', 10_000, async () =>
        (await run('pgrep', ['-f', `sleep ${seconds}`])).code === 1 ? true : undefined,
      )
    }
    assert.equal((await served('-q', project('after', { Dockerfile: 'FROM busybox\n' }))).code, 0)
  })

  test('others are served while a large directory is looked at', async () => {
    const { cli } = bench()
    const app = project('large', { Dockerfile: 'FROM busybox\nCOPY Dockerfile /\n' })
    for (let home = 0; home < 20; home += 1) {
      mkdirSync(join(app, `d${home}`))
      for (let number = 0; number < 100; number += 1) writeFileSync(join(app, `d${home}`, `f${number}`), '')
    }
    assert.equal((await served('-q', app)).code, 0)
    const building = spawnProgram(SHIM, ['ask', standIn(), PROGRAM, 'build', '-q', app], cli.env)
    assert.equal((await run(SHIM, ['ask', standIn(), PROGRAM, 'ps'], cli)).code, 0)
    assert.equal((await building.finish()).code, 0)
  })
})

/** How long things took differs from run to run. */
function withoutTimes({ code, stdout, stderr }: Ended): Ended {
  const calm = (text: string) =>
    text
      .replaceAll(/\d+\.\d{3} /g, 'T ')
      .replaceAll(/ +\d+\.\d+s/g, ' T')
      .replaceAll(/\(\d+\.\d+s\)|\d+\.\d+s/g, 'T')
  return { code, stdout: calm(stdout), stderr: calm(stderr) }
}

function withoutIds(ended: Ended): Ended {
  const calm = (text: string) => text.replaceAll(/sha256:[0-9a-f]{64}/g, 'ID')
  const { code, stdout, stderr } = withoutTimes(ended)
  return { code, stdout: calm(stdout), stderr: calm(stderr) }
}

/** How often a terminal is drawn on is a matter of time too. */
function lastDrawing(ended: Ended): string | undefined {
  return withoutTimes(ended).stdout.split('\u001b[J').at(-1)
}
