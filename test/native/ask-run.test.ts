import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { buildNative } from '../../tools/build-native.ts'
import { spawnProgram, type Running } from '../support/processes.ts'

const NOT_SERVED = 99
const OK = 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'

function frame(type: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload)
  const header = Buffer.alloc(8)
  header[0] = type
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

const exit = (code: number) => frame(3, Buffer.from([0, 0, 0, code]))

/** A daemon that only says what the test has it say. */
async function bench(context: TestContext, answer: (socket: Socket, request: string) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'ask-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const node = join(directory, 'node')
  writeFileSync(node, `#!/bin/sh\nexit ${NOT_SERVED}\n`)
  chmodSync(node, 0o755)
  writeFileSync(join(directory, 'cli-lib.cjs'), '')
  const requests: string[] = []
  const server = createServer((socket) => {
    let request = ''
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      const isFirst = !request.includes('}\n')
      request += bytes.toString()
      requests[0] = request
      if (isFirst && request.includes('}\n')) answer(socket, request)
    })
  })
  context.after(() => server.close())
  const socketPath = join(directory, 's.sock')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const start = (...words: readonly string[]): Running => {
    const env = { GLOVEBOX_HOST: socketPath, HOME: '/ho"me', TERM: 'dumb', SECRET: 'not for others' }
    return spawnProgram(buildNative().shimPath, ['ask', node, join(directory, 'cli.cjs'), 'build', ...words], env)
  }
  return { start, requests }
}

test('frames go to their streams however they are cut, and the code ends it', async (context) => {
  const frames = [frame(1, 'out'), frame(2, 'err\n'), frame(1, ''), frame(1, 'put\n'), exit(7)]
  const whole = Buffer.concat([Buffer.from(OK), ...frames])
  for (const size of [1, 3, 9, whole.length]) {
    const { start } = await bench(context, (socket) => {
      socket.setNoDelay(true)
      const next = (at: number) => {
        if (at >= whole.length) return void socket.end()
        socket.write(whole.subarray(at, at + size), () => setImmediate(() => next(at + size)))
      }
      next(0)
    })
    assert.deepEqual(await start('.').finish(), { code: 7, stdout: 'output\n', stderr: 'err\n' })
  }
})

test('says where it stands, and nothing else of its environment', async (context) => {
  const { start, requests } = await bench(context, (socket) => socket.end(Buffer.concat([Buffer.from(OK), exit(0)])))
  assert.equal((await start('--label', 'a="b\\', 'é').finish()).code, 0)
  const line = requests[0]?.split('\r\n').find((part) => part.startsWith('{')) ?? ''
  const { words, cwd, env, stdout, program } = JSON.parse(line) as Record<string, unknown>
  assert.deepEqual(words, ['build', '--label', 'a="b\\', 'é'])
  assert.equal(cwd, process.cwd())
  assert.deepEqual(env, { '': '', HOME: '/ho"me', TERM: 'dumb' })
  assert.deepEqual(stdout, { isTty: false, columns: 0, rows: 0 })
  assert.match(String(program), /^\d+:\d+:\d+\.\d{9}$/)
})

test('whatever is no promise to run the command leaves it to the program', async (context) => {
  for (const text of ['HTTP/1.1 404 Not Found\r\n\r\n', 'nonsense', '', 'HTTP/1.1 200', 'x'.repeat(5000)]) {
    const { start } = await bench(context, (socket) => socket.end(text))
    assert.equal((await start('.').finish()).code, NOT_SERVED, text)
  }
})

test('a daemon that goes away in the middle, or speaks nonsense, is a failure and not success', async (context) => {
  const broken = [
    frame(1, 'x').subarray(0, 5),
    frame(3, 'too long'),
    Buffer.from('nonsense that is no frame'),
    Buffer.alloc(0),
    frame(9, 'x'),
  ]
  for (const bytes of broken) {
    const { start } = await bench(context, (socket) => socket.end(Buffer.concat([Buffer.from(OK), bytes])))
    const { code, stderr } = await start('.').finish()
    assert.equal(code, 1)
    assert.match(stderr, /the daemon went away/)
  }
})

test('a signal is told to the daemon, which says how it ends; before it runs anything the signal is enough', async (context) => {
  const { start, requests } = await bench(context, (socket) => {
    socket.write(Buffer.concat([Buffer.from(OK), frame(1, 'begun')]))
    socket.on(
      'data',
      (bytes: Buffer) => bytes.includes('SIGINT') && socket.end(Buffer.concat([frame(2, 'cancelled\n'), exit(130)])),
    )
  })
  const asking = start('.')
  await asking.shows(/begun/)
  asking.kill('SIGINT')
  assert.deepEqual(await asking.finish(), { code: 130, stdout: 'begun', stderr: 'cancelled\n' })
  assert.match(requests[0] ?? '', /\{"kind":"signal","name":"SIGINT"\}\n/)
  const late = await bench(context, (socket) =>
    socket.on('data', (bytes: Buffer) => bytes.includes('SIGTERM') && socket.end('HTTP/1.1 404 Not Found\r\n\r\n')),
  )
  const stopped = late.start('.')
  await new Promise((resolve) => setTimeout(resolve, 300))
  stopped.kill('SIGTERM')
  assert.notEqual((await stopped.finish()).code, NOT_SERVED)
})
