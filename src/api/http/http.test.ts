import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, silentLog, systemClock } from '#base'

import { parseJsonObject } from './body.ts'
import { readQuery } from './query.ts'
import { createRouter } from './router.ts'
import { serve, type HttpApi } from './serve.ts'
import { messageFor, statusOf } from './status.ts'

const ROUTES = [
  { method: 'GET', path: '/images/json' },
  { method: 'GET', path: '/images/{name...}/json' },
  { method: 'DELETE', path: '/images/{name...}' },
  { method: 'POST', path: '/containers/{id}/start' },
] as const

test('routes are found by exact segments, parameters and wide parameters', () => {
  const find = createRouter(ROUTES)
  assert.equal(find('GET', '/images/json')?.route.path, '/images/json')
  assert.deepEqual(find('GET', '/images/a/b/c/json')?.params, { name: 'a/b/c' })
  assert.deepEqual(find('DELETE', '/images/a/b')?.params, { name: 'a/b' })
  assert.deepEqual(find('POST', '/containers/x%20y/start/')?.params, { id: 'x y' })
  for (const [method, path] of [
    ['POST', '/images/json'],
    ['POST', '/containers//start'],
    ['POST', '/containers/a/b/start'],
    ['GET', '/'],
    ['HEAD', '/images/json'],
  ] as const)
    assert.equal(find(method, path), undefined, path)
})

test('property: any path gives a route, nothing, or an error of kind invalid', () => {
  const find = createRouter(ROUTES)
  fc.assert(
    fc.property(fc.webPath(), fc.string(), (path, tail) => {
      try {
        find('GET', `${path}${tail}`)
        find('DELETE', `/images${path}/${tail}`)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind === 'invalid')
      }
    }),
  )
})

test('queries are read as Docker’s clients write them', () => {
  const query = readQuery('all=1&no=0&size=False&t=-1&x=a&x=b&empty=')
  assert.deepEqual(
    [query.bool('all'), query.bool('no'), query.bool('size'), query.bool('none'), query.bool('none', true)],
    [true, false, false, false, true],
  )
  assert.equal(query.int('t'), -1)
  assert.equal(query.int('empty'), null)
  assert.deepEqual(query.texts('x'), ['a', 'b'])
  assert.throws(() => query.int('x'), /query x: "a" is not a whole number/)
})

test('property: bodies are objects or refused as invalid', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        assert.equal(typeof parseJsonObject(Buffer.from(text)), 'object')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind === 'invalid')
      }
    }),
  )
})

test('statuses and messages come from kinds and hints', () => {
  const error = new GloveboxError('a.b', 'conflict', 'taken', { hint: 'Choose another.' })
  assert.deepEqual([statusOf(error), messageFor(error)], [409, 'taken. Choose another.'])
  assert.deepEqual([statusOf(new Error('x')), messageFor(new Error('x'))], [500, 'x'])
})

const API: HttpApi = {
  handleRequest: (_request, response) => void response.end('hello'),
  handleUpgrade: (_request, socket) => void socket.destroy(),
  wantsUpgrade: () => false,
}

async function place(context: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'glovebox-http-'))
  context.after(() => rm(dir, { recursive: true }))
  return join(dir, 's.sock')
}

function options(unixSocketPath: string) {
  return { unixSocketPath, api: API, clock: systemClock(), log: silentLog() }
}

test('the socket is for its owner and group, and goes with the server', async (context) => {
  const path = await place(context)
  const serving = await serve({ ...options(path), group: 'root' })
  const { mode, gid } = await stat(path)
  assert.deepEqual([mode & 0o777, gid], [0o660, 0])
  await serving.close()
  await assert.rejects(stat(path), /ENOENT/)
})

test('a socket that a killed process left is taken over, one that answers is not', async (context) => {
  const path = await place(context)
  const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', leave])
  assert.ok((await stat(path)).isSocket())
  const serving = await serve(options(path))
  await assert.rejects(serve(options(path)), /another process listens there/)
  await serving.close()
})

test('a file that is no socket is left alone', async (context) => {
  const path = await place(context)
  await writeFile(path, 'precious')
  await assert.rejects(serve(options(path)), /not a socket/)
  assert.equal((await stat(path)).size, 8)
})

test('closing cuts what is still open', async (context) => {
  const path = await place(context)
  const never: HttpApi = { ...API, handleRequest: () => undefined }
  const serving = await serve({ ...options(path), api: never })
  const { connect } = await import('node:net')
  const socket = connect(path)
  socket.write('GET / HTTP/1.1\r\n\r\n')
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => undefined)
  await serving.close(20)
  await closed
})

test('an unknown group is refused and nothing listens on', async (context) => {
  const path = await place(context)
  await assert.rejects(serve({ ...options(path), group: 'no-such-group' }), /there is no such group/)
  const again = createServer().listen(path)
  await new Promise<void>((resolve, reject) => again.once('listening', () => resolve()).once('error', reject))
  again.close()
})
