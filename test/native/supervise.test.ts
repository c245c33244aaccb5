import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { runCommand } from '../../src/engine/runtime/oci-runtime.ts'
import { shimServer } from '../../src/engine/runtime/shim-server.ts'
import { buildNative } from '../../tools/build-native.ts'
import { clock } from './fixture.ts'

function place(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'glovebox-supervise-'))
  const pidFile = join(root, 'pid')
  const log = join(root, 'log')
  const { shimPath } = buildNative()
  t.after(() => {
    if (existsSync(pidFile) && isAlive(pidOf(pidFile))) process.kill(pidOf(pidFile), 'SIGKILL')
    rmSync(root, { recursive: true, force: true })
  })
  return {
    root,
    pidFile,
    log,
    shimPath,
    supervise: (script: string, ...more: string[]) => {
      const program = join(root, 'program')
      writeFileSync(program, `#!/bin/sh\n${script}`)
      chmodSync(program, 0o755)
      return spawnSync(shimPath, ['supervise', '--pid-file', pidFile, '--log', log, ...more, '--', program], { encoding: 'utf8' })
    },
    logged: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
  }
}

const pidOf = (path: string) => Number(readFileSync(path, 'utf8'))

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z'
  } catch {
    return false
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return
    await clock.sleep(5)
  }
  assert.fail(`never: ${what}`)
}

test('a supervised program that dies is started again, and one that ends well is not', async (t) => {
  const { root, supervise, logged, pidFile } = place(t)
  const result = supervise(`echo life; echo x >> ${root}/lives; [ "$(wc -l < ${root}/lives)" = 3 ] && exit 0; kill -9 $$`)
  assert.equal(result.status, 0)
  await until(() => !isAlive(pidOf(pidFile)), 'the supervisor ends with the program')
  assert.equal(logged().match(/^life$/gm)?.length, 3)
  assert.match(logged(), /was killed by signal 9, starts again in 100 ms\n[^]*starts again in 200 ms\n/)
})

test('TERM is passed on, and its end is the end', async (t) => {
  const { supervise, logged, pidFile } = place(t)
  supervise('trap "echo told; exit 0" TERM; echo up; while :; do sleep 0.02; done')
  await until(() => logged().includes('up'), 'the program is up')
  process.kill(pidOf(pidFile), 'SIGTERM')
  await until(() => !isAlive(pidOf(pidFile)), 'the supervisor ends')
  assert.match(logged(), /told/)
})

test('a second supervisor with the same pid file is refused, and a program that cannot be executed is named', async (t) => {
  const { supervise, shimPath, pidFile, log, logged } = place(t)
  supervise('echo up; exec sleep 100')
  await until(() => logged().includes('up'), 'the program is up')
  const second = supervise('exit 0')
  assert.equal(second.status, 1)
  assert.match(second.stderr, new RegExp(`already running with pid ${pidOf(pidFile)}`))
  process.kill(pidOf(pidFile), 'SIGTERM')
  await until(() => !isAlive(pidOf(pidFile)), 'the supervisor ends')
  const missing = spawnSync(shimPath, ['supervise', '--pid-file', pidFile, '--log', log, '--', '/no/such/program'], {
    encoding: 'utf8',
  })
  assert.equal(missing.status, 127)
  assert.match(missing.stderr, /execute \/no\/such\/program: No such file/)
  process.kill(pidOf(pidFile), 'SIGTERM')
})

test('the log of a supervised program is rotated', async (t) => {
  const { supervise, pidFile, root } = place(t)
  supervise(
    'for half in 1 2; do i=0; while [ $i -lt 200 ]; do echo "line $i with some length to it"; i=$((i+1)); done; sleep 0.1; done',
    '--log-max-bytes',
    '4096',
  )
  await until(() => !isAlive(pidOf(pidFile)), 'the supervisor ends')
  const files = readdirSync(root).filter((name) => name.startsWith('log'))
  assert.deepEqual(files, ['log', 'log.1'])
  for (const name of files) assert.ok(statSync(join(root, name)).size <= 70_000)
})

test('the shim server runs commands, and a new one is started when it dies', async (t) => {
  const { root, shimPath } = place(t)
  const server = shimServer({ shimPath, socketPath: join(root, 'spawn.sock') })
  t.after(() => server.close())
  const echo = () => runCommand(server, ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'], clock)
  const first = await echo()
  assert.equal(first.exitCode, 3)
  assert.deepEqual(first.text.split('\n').toSorted(), ['err', 'out'])
  assert.equal((await runCommand(server, ['/no/such'], clock)).exitCode, 127)
  await assert.rejects(runCommand(server, ['relative'], clock), /absolute path/)
  // The oldest: its children have its name until they execute something.
  const found = spawnSync('pgrep', ['--oldest', '-f', join(root, 'spawn.sock')], { encoding: 'utf8' }).stdout.trim()
  assert.match(found, /^[1-9]\d+$/)
  process.kill(Number(found), 'SIGKILL')
  await until(() => !isAlive(Number(found)), 'the server is dead')
  assert.equal((await echo()).exitCode, 3)
})

test('the shim server ends with its daemon', async (t) => {
  const { root, shimPath } = place(t)
  const child = spawn(shimPath, ['serve', '--socket', join(root, 's')], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.stdin.end()
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.equal(code, 0)
})
