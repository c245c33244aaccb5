import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'

import { encodeFrame, frameType } from '#engine/runtime'

import { clock, collect, fakeRuntimeScript, fixture, logEntries, spawnShim, type Fixture } from './fixture.ts'

/** Stands in for crun: writes its own child's pid, as `run --detach --pid-file FILE` does. The child is PROGRAM. */
const script = (program: string) => `
for argument in "$@"; do [ "$last" = --pid-file ] && file=$argument; last=$argument; done
${program} & echo $! > "$file"
`

const MEGABYTE = 1 << 20

async function stateOf(socket: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const connection = connect(socket)
    connection.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    connection.once('error', reject)
    connection.once('close', () => resolve(''))
  })
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (condition()) return
    await clock.sleep(5)
  }
  assert.fail(`never: ${what}`)
}

test('a daemon that is killed loses nothing: the next one finds the process, its log and its exit code', async (t) => {
  const { root, shimPath, runtime, dir } = await fixture(t)
  const crun = fakeRuntimeScript(root, script('sh -c "sleep 0.4; echo after; exit 6"'))
  const shimDir = dir('survivor')
  mkdirSync(shimDir, { recursive: true })
  const log = join(root, 'log')
  const arguments_ = [
    'run',
    '--dir',
    shimDir,
    '--runtime',
    crun,
    '--state-root',
    root,
    '--id',
    'x',
    '--bundle',
    root,
    '--log',
    log,
  ]
  // The first daemon, another process: starts the shim, then dies as suddenly as can be.
  const daemon = spawn(
    process.execPath,
    [
      '-e',
      `const { spawn } = require('node:child_process')
       const [shim, ...rest] = process.argv.slice(1)
       const child = spawn(shim, rest, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
       child.stdio[3].once('data', () => process.kill(process.pid, 'SIGKILL'))`,
      shimPath,
      ...arguments_,
    ],
    { stdio: 'inherit' },
  )
  const [, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    daemon.once('exit', (c, s) => resolve([c, s])),
  )
  assert.equal(signal, 'SIGKILL')
  const adopted = await runtime.adopt(shimDir)
  assert.equal(adopted.kind, 'running')
  if (adopted.kind !== 'running') return
  const attached = collect(await adopted.process.attach({ stdout: true, stderr: true }))
  const record = await adopted.process.exited
  assert.equal(record.exitCode, 6)
  await adopted.process.outputEnded
  assert.equal(attached.text(), 'after\n')
  assert.deepEqual(
    logEntries(log).map((entry) => entry.log),
    ['after\n'],
  )
  await until(() => !existsSync(join(shimDir, 'shim.sock')), 'the socket is removed')
  assert.deepEqual(await runtime.adopt(shimDir), { kind: 'exited', record })
})

test('a runtime that cannot be executed is named, and a directory without a shim is known to be lost', async (t) => {
  const { root, runtime, dir } = await fixture(t, '/nonexistent')
  const lost = await runtime.adopt(dir('never-was'))
  assert.deepEqual(lost, { kind: 'lost', state: undefined })
  await assert.rejects(
    runtime.start({ id: 'x', dir: dir('x'), bundle: root, isTty: false, hasStdin: false }),
    /execute \/nonexistent: No such file or directory/,
  )
})

test('when the shim dies the exit is reported as lost, with the pid to clean up', async (t) => {
  const { runtime, run } = await fixture(t)
  const { process, dir } = await run(['wait'])
  const { shimPid } = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as { shimPid: number }
  globalThis.process.kill(shimPid, 'SIGKILL')
  await assert.rejects(process.exited, /left no exit code/)
  const adopted = await runtime.adopt(dir)
  assert.equal(adopted.kind, 'lost')
  assert.equal(adopted.kind === 'lost' ? adopted.state?.pid : 0, process.pid)
})

test('a hundred megabytes reach a slow reader whole while shim memory stays small', async (t) => {
  const { run } = await fixture(t)
  const total = 100 * MEGABYTE
  const { process, connection, output, dir } = await run(['flood', String(total), 'exit', '0'])
  const { shimPid } = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as { shimPid: number }
  connection.pause()
  await clock.sleep(300)
  const stalled = output.bytes()
  assert.ok(stalled < 4 * MEGABYTE, `the paused reader already has ${stalled} bytes`)
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shimPid}/status`, 'utf8'))?.[1])
  assert.ok(rssKb < 1500, `the shim holds ${rssKb} kB`)
  connection.resume()
  await process.outputEnded
  await until(() => output.bytes() === total, `all bytes, not ${output.bytes()}`)
})

test('the exit is known although the reader of the output has stopped reading', async (t) => {
  const { run } = await fixture(t)
  const { process, connection } = await run(['flood', String(2 * MEGABYTE), 'exit', '9'])
  connection.pause()
  // The program cannot end before somebody reads: so it is killed.
  await clock.sleep(100)
  process.signal(9)
  assert.equal((await process.exited).exitCode, 137)
  connection.resume()
  await process.outputEnded
})

test('an idle shim holds less than a megabyte', async (t) => {
  const { run } = await fixture(t)
  const { process, dir } = await run(['wait'])
  const { shimPid } = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as { shimPid: number }
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shimPid}/status`, 'utf8'))?.[1])
  t.diagnostic(`shim RSS ${rssKb} kB`)
  assert.ok(rssKb < 1024, `the shim holds ${rssKb} kB`)
  process.signal(9)
  await process.exited
})

test('the log holds exactly the output, over all its files, and no file outgrows its limit', async (t) => {
  const { run, root } = await fixture(t)
  const path = join(root, 'log')
  const { process, output } = await run(['flood', String(3 * MEGABYTE)], { log: { path, maxBytes: 2 * MEGABYTE, maxFiles: 9 } })
  await process.outputEnded
  const files = readdirSync(root).filter((name) => name.startsWith('log'))
  assert.ok(files.length > 2, files.join())
  const oldestFirst = files.toSorted((a, b) => Number(b.split('.')[1] ?? 0) - Number(a.split('.')[1] ?? 0))
  for (const name of files) assert.ok(statSync(join(root, name)).size <= 2 * MEGABYTE)
  const logged = oldestFirst.flatMap((name) => logEntries(join(root, name)).map((entry) => entry.log)).join('')
  assert.ok(logged === output.text(), `the log has ${logged.length} characters, the output ${output.text().length}`)
})

test('only so many log files are kept, and a single one starts anew', async (t) => {
  const { run, root } = await fixture(t)
  const two = join(root, 'two')
  await (
    await run(['flood', String(MEGABYTE)], { log: { path: two, maxBytes: 100_000, maxFiles: 2 } })
  ).process.outputEnded
  assert.deepEqual(
    readdirSync(root).filter((name) => name.startsWith('two')),
    ['two', 'two.1'],
  )
  const one = join(root, 'one')
  await (
    await run(['flood', String(MEGABYTE)], { log: { path: one, maxBytes: 100_000 } })
  ).process.outputEnded
  assert.deepEqual(
    readdirSync(root).filter((name) => name.startsWith('one')),
    ['one'],
  )
  assert.ok(logEntries(one).length > 0)
})

test('long lines are split at 16 KiB without cutting a character, and what is not UTF-8 is replaced', async (t) => {
  const { root, shimPath, dir } = await fixture(t)
  const bytes = `printf 'x%.0s' $(seq 16383); printf '\\303\\244 end\\n\\377\\300\\200\\355\\240\\200 ok\\n'`
  const crun = fakeRuntimeScript(root, script(`sh -c "${bytes.replaceAll('$', '\\$')}"`))
  mkdirSync(dir('s'), { recursive: true })
  const log = join(root, 'log')
  const { socket } = spawnShim(shimPath, [
    '--dir',
    dir('s'),
    '--runtime',
    crun,
    '--state-root',
    root,
    '--id',
    'x',
    '--bundle',
    root,
    '--log',
    log,
  ])
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  const lines = logEntries(log).map((entry) => entry.log)
  assert.equal(lines[0], 'x'.repeat(16383))
  assert.equal(lines[1], 'ä end\n')
  assert.equal(lines[2], `${'\ufffd'.repeat(6)} ok\n`)
})

function smallDisk({ root, defer }: Fixture): string {
  const disk = join(root, 'disk')
  mkdirSync(disk)
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).status, 0)
  defer(() => void spawnSync('umount', ['-l', disk]))
  return disk
}

test('a full disk costs log lines, which are counted, and never the container', async (t) => {
  const made = await fixture(t)
  const disk = smallDisk(made)
  let lost = 0n
  const { process, output } = await made.run(['flood', String(MEGABYTE), 'exit', '4'], {
    log: { path: join(disk, 'log') },
    onConnected: (connection) => void connection.listen({ logLost: (lines) => void (lost = lines) }),
  })
  assert.equal((await process.exited).exitCode, 4)
  await process.outputEnded
  assert.equal(output.bytes(), MEGABYTE)
  const kept = logEntries(join(disk, 'log')).length
  assert.ok(kept > 0 && lost > 0n)
  assert.equal(BigInt(kept) + lost, BigInt(MEGABYTE / 64))
})

test('logging goes on when there is room again', async (t) => {
  const made = await fixture(t)
  const disk = smallDisk(made)
  spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k'])
  const { process, output } = await made.run(['out', 'lost\n', 'sleep', '300', 'out', 'kept\n'], {
    log: { path: join(disk, 'log') },
  })
  await output.until('lost')
  rmSync(join(disk, 'filler'))
  await process.outputEnded
  assert.deepEqual(
    logEntries(join(disk, 'log')).map((entry) => entry.log),
    ['kept\n'],
  )
})

test('somebody who keeps the pipe open delays the end by a second only', async (t) => {
  const { root, shimPath, dir } = await fixture(t)
  // Not before the runtime has: a shell may reap a child that ends while it still runs, which no runtime does.
  const crun = fakeRuntimeScript(root, script('sh -c "sleep 0.2; sleep 30 & echo bye; exit 3"'))
  mkdirSync(dir('s'), { recursive: true })
  const { socket } = spawnShim(shimPath, [
    '--dir',
    dir('s'),
    '--runtime',
    crun,
    '--state-root',
    root,
    '--id',
    'x',
    '--bundle',
    root,
  ])
  const startMs = clock.monotonicMs()
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  const tookMs = clock.monotonicMs() - startMs
  assert.ok(tookMs > 900 && tookMs < 3000, `${tookMs} ms`)
  assert.equal((JSON.parse(readFileSync(join(dir('s'), 'exit.json'), 'utf8')) as { exitCode: number }).exitCode, 3)
})

test('frames that make no sense close their own connection and nothing else', async (t) => {
  const { run } = await fixture(t)
  const { process, connection, output, dir } = await run(['echo'], { hasStdin: true })
  const socket = join(dir, 'shim.sock')
  const nonsense = [
    Buffer.from([0, 1, 0, 0, 0, 0, 0, 1, 65]),
    encodeFrame(99, Buffer.from('?')),
    encodeFrame(frameType.resize, Buffer.from([1])),
    encodeFrame(frameType.subscribe, Buffer.from([200])),
    encodeFrame(frameType.spawn, Buffer.from('run\0')),
    Buffer.from([0, 0, 0, 0, 255, 255, 255, 255]),
  ]
  for (const bytes of nonsense) {
    const bad = connect(socket)
    bad.resume()
    bad.on('error', () => undefined)
    bad.write(bytes)
    await new Promise((resolve) => bad.once('close', resolve))
  }
  let seed = 7
  for (let i = 0; i < 200; i++) {
    const bad = connect(socket)
    bad.on('error', () => undefined)
    bad.resume()
    // Random bytes behind a first one that is no stdin frame, so that they cannot reach the program.
    const bytes = Buffer.from(Array.from({ length: 40 }, (_, k) => (k === 0 ? 200 : (seed = (seed * 48271) % 2147483647) & 255)))
    bad.end(bytes)
    await new Promise((resolve) => bad.once('close', resolve))
  }
  assert.match(await stateOf(socket), /"pid":\d+/)
  await connection.stdin(Buffer.from('still here'))
  connection.closeStdin()
  await process.outputEnded
  assert.equal(output.text(), 'still here<eof>')
})

test('more connections than the bound are turned away and the others work on', async (t) => {
  const { run } = await fixture(t)
  const { process, dir } = await run(['wait'])
  const sockets = Array.from({ length: 80 }, () => connect(join(dir, 'shim.sock')))
  let refused = 0
  for (const socket of sockets) {
    socket.resume()
    socket.on('error', () => undefined)
    socket.once('close', () => (refused += 1))
  }
  await until(() => refused === 80 - 63, 'the surplus is refused')
  for (const socket of sockets) socket.destroy()
  process.signal(9)
  assert.equal((await process.exited).signal, 9)
})
