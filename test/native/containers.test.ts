import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import type { GloveboxError } from '#base'

import { clock, fixture, logEntries } from './fixture.ts'

test('a container says what it says on each stream and exits with its code', async (t) => {
  const { run, runtime } = await fixture(t)
  const { process, output, dir } = await run(['out', 'hello\n', 'err', 'oops\n', 'exit', '7'])
  const record = await process.exited
  await process.outputEnded
  assert.equal(record.exitCode, 7)
  assert.equal(record.signal, undefined)
  assert.ok(record.exitedAtNs >= record.startedAtNs)
  assert.equal(output.text('stdout'), 'hello\n')
  assert.equal(output.text('stderr'), 'oops\n')
  const adopted = await runtime.adopt(dir)
  assert.deepEqual(adopted, { kind: 'exited', record })
})

test('a signal ends the process with 128 and its number, and a trap can answer it', async (t) => {
  const { run } = await fixture(t)
  // init of a process namespace is immune to signals without a trap, except for KILL from outside.
  const killed = await run(['out', 'up', 'wait'])
  killed.process.signal(9)
  assert.deepEqual([(await killed.process.exited).exitCode, (await killed.process.exited).signal], [137, 9])
  const trapped = await run(['trap'])
  await trapped.output.until('ready')
  trapped.process.signal(15)
  assert.equal((await trapped.process.exited).exitCode, 42)
  assert.equal(trapped.output.text(), 'ready\nterm\n')
})

test('stdin is passed on, and closing it is seen after the last byte', async (t) => {
  const { run } = await fixture(t)
  const { process, connection, output } = await run(['echo'], { hasStdin: true })
  await connection.stdin(Buffer.from('one '))
  await output.until('one ')
  await connection.stdin(Buffer.from('two'))
  connection.closeStdin()
  assert.equal((await process.exited).exitCode, 0)
  await process.outputEnded
  assert.equal(output.text(), 'one two<eof>')
})

test('who types while the process ends still hears all that it said, and its code', async (t) => {
  const { run, dir } = await fixture(t)
  const { process, output } = await run(['out', 'last words\n', 'exit', '7'], {
    hasStdin: true,
    onConnected: (connection) => {
      const record = join(dir('c1'), 'exit.json')
      // Nothing is read meanwhile: the shim has said everything, and would have gone.
      for (const until = performance.now() + 10_000; !existsSync(record) && performance.now() < until;) pause(10)
      pause(50)
      void connection.stdin(Buffer.from('x'))
    },
  })
  assert.equal((await process.exited).exitCode, 7)
  await process.outputEnded
  assert.equal(output.text(), 'last words\n')
})

/** Holds the whole program up, its event loop too. */
function pause(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}

test('stdin sent and closed before the start reaches the program', async (t) => {
  const { run } = await fixture(t)
  const { process, output } = await run(['echo'], {
    hasStdin: true,
    onConnected: (connection) => {
      void connection.stdin(Buffer.from('early'))
      connection.closeStdin()
    },
  })
  await process.outputEnded
  assert.equal(output.text(), 'early<eof>')
})

test('without stdin a program reads the end at once', async (t) => {
  const { run } = await fixture(t)
  const { process, output } = await run(['echo'])
  await process.outputEnded
  assert.equal(output.text(), '<eof>')
})

test('a hundred megabytes of stdin arrive whole through a bounded queue', async (t) => {
  const { run } = await fixture(t)
  const { process, connection, output } = await run(['count'], { hasStdin: true })
  const block = Buffer.alloc(1 << 20, 'x')
  for (let i = 0; i < 100; i++) await connection.stdin(block)
  connection.closeStdin()
  await process.outputEnded
  assert.equal(output.text(), String(100 << 20))
})

test('a terminal can be resized and ends with the program', async (t) => {
  const { run } = await fixture(t)
  const { process, output } = await run(['size', 'exit', '3'], { isTty: true, hasStdin: true })
  await output.until('ready')
  process.resize(33, 77)
  await output.until('33 x 77')
  assert.equal((await process.exited).exitCode, 3)
  await process.outputEnded
  assert.equal(output.text('stdout'), 'ready\r\n33 x 77\r\n')
})

test('a terminal echoes its input and is not closed by closing stdin', async (t) => {
  const { run } = await fixture(t)
  const { process, connection, output } = await run(['echo'], { isTty: true, hasStdin: true })
  await connection.stdin(Buffer.from('hi\n'))
  connection.closeStdin()
  await output.until('hi\r\nhi\r\n')
  await connection.stdin(Buffer.from('\u0004'))
  await process.outputEnded
  assert.match(output.text(), /<eof>$/)
})

test('a start that fails carries the words of the runtime and the exit code of shells', async (t) => {
  const { run } = await fixture(t)
  const failed = async (args: string[]) =>
    await run([], { change: (config) => (config.process.args = args) }).then(
      () => assert.fail('it started'),
      (error: unknown) => error as GloveboxError,
    )
  const missing = await failed(['/nope'])
  assert.equal(missing.code, 'runtime.start_failed')
  assert.match(missing.message, /executable file `\/nope` not found/)
  assert.equal(missing.details['exitCode'], 127)
})

test('a program of the wrong format exits with 126 and the reason', async (t) => {
  const { bundle, runtime, dir } = await fixture(t)
  const path = bundle([], (config) => (config.process.args = ['/bad']))
  writeFileSync(join(path, 'rootfs', 'bad'), 'no program', { mode: 0o755 })
  const process = await runtime.start({ id: 'bad', dir: dir('bad'), bundle: path, isTty: false, hasStdin: false })
  const record = await process.exited
  assert.equal(record.exitCode, 126)
  assert.match(record.runtimeError ?? '', /Exec format error/)
})

test('exec runs a second process with its own streams and exit code', async (t) => {
  const { run, runtime, dir } = await fixture(t)
  const { id, process } = await run(['wait'])
  const exec = async (name: string, args: string[]) => {
    let text = ''
    const running = await runtime.exec({
      id,
      dir: dir(name),
      process: () => ({ args, env: ['PATH=/'], cwd: '/', user: { uid: 0, gid: 0 }, capabilities: {} }),
      isTty: false,
      hasStdin: false,
      subscription: { stdout: true, stderr: true },
      onConnected: (connection) => void connection.listen({ output: (_stream, bytes) => void (text += bytes.toString()) }),
    })
    const record = await running.exited
    await running.outputEnded
    return { record, text }
  }
  const { record, text } = await exec('e1', ['/init', 'out', 'from exec', 'exit', '5'])
  assert.equal(record.exitCode, 5)
  assert.equal(text, 'from exec')
  await assert.rejects(exec('e2', ['/nope']), (error: GloveboxError) => error.details['exitCode'] === 127)
  process.signal(9)
  await process.exited
})

test('a paused container does nothing until it is resumed, and limits can be changed', async (t) => {
  const { run, runtime } = await fixture(t)
  const { id, process, output } = await run(['sleep', '300', 'out', 'done', 'wait'])
  await runtime.pause(id)
  const before = output.text()
  await clock.sleep(500)
  assert.equal(output.text(), before)
  await runtime.resume(id)
  await output.until('done')
  await runtime.update(id, { memoryBytes: 64 << 20, pidsLimit: 20 })
  await assert.rejects(runtime.update('no-such-container', { pidsLimit: 1 }), /no-such-container/)
  await runtime.killAll(id, 9)
  assert.equal((await process.exited).signal, 9)
  await runtime.delete(id)
  await runtime.delete(id)
})

test('the log has every line with its stream, as Docker writes it', async (t) => {
  const { run, root } = await fixture(t)
  const path = join(root, 'log.json')
  const { process } = await run(['out', 'one\ntwo "q" \\ \t\u0001\u2028\n', 'err', 'bad\n', 'out', 'no newline'], {
    log: { path },
  })
  await process.outputEnded
  const entries = logEntries(path)
  const of = (stream: string) => entries.filter((entry) => entry.stream === stream).map((entry) => entry.log)
  assert.deepEqual(of('stdout'), ['one\n', 'two "q" \\ \t\u0001\u2028\n', 'no newline'])
  assert.deepEqual(of('stderr'), ['bad\n'])
  assert.match(entries[0]?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  assert.ok(readFileSync(path, 'utf8').includes(String.raw`\u2028`))
})
