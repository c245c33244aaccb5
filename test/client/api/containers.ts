import assert from 'node:assert/strict'
import { request } from 'node:http'

import type { ApiExam } from './exam.ts'
import { tarOf } from './tar.ts'

/** A shell that ends at once when it is told to. */
const WAITING = ['sh', '-c', 'trap "exit 3" TERM; echo begun; while :; do sleep 0.1; done']

const FULL = {
  Image: 'busybox',
  Cmd: WAITING,
  Hostname: 'inner',
  Env: ['A=b'],
  Labels: { 'exam.of': 'containers' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/anonymous': {} },
  Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000 },
  StopSignal: 'SIGTERM',
  StopTimeout: 5,
  HostConfig: {
    Binds: ['exam-data:/data'],
    Memory: 64 << 20,
    NanoCpus: 500_000_000,
    PortBindings: { '80/tcp': [{ HostPort: '' }] },
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
    Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
    Tmpfs: { '/run': 'size=64k' },
  },
}

const LOOKS = 200
const LOOK_EVERY_MS = 25

/** A shell that has not come to its trap yet does not hear what it is told. */
async function begunAgain(api: ApiExam, id: string): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const log = await api.call('GET /containers/{id}/logs', { params: { id }, query: { stdout: 1 } })
    if (log.bytes.toString().split('begun').length > 2) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  throw new Error('the container did not begin again')
}

/** Every operation about containers and their execs, in the order of a life. */
export async function examContainers(api: ApiExam, socketPath: string): Promise<void> {
  const made = await api.call('POST /containers/create', { query: { name: 'exam' }, json: FULL, status: 201 })
  const id = String(made.json.Id)
  const params = { id }
  await api.call('POST /containers/create', { query: { name: 'exam' }, json: FULL, status: 409 })
  await api.call('POST /containers/create', { json: { Image: 'nothing-of-this-name' }, status: 404 })
  await api.call('GET /containers/{id}/json', { params })
  await api.call('POST /containers/{id}/start', { params, status: 204 })
  await api.call('POST /containers/{id}/start', { params, status: 304 })
  await looks(api, id)
  await files(api, id)
  await execs(api, id)
  await streams(api, id, socketPath)
  await api.call('POST /containers/{id}/resize', { params, query: { h: 10, w: 20 }, status: 200 }).catch(() => undefined)
  await api.call('POST /containers/{id}/pause', { params, status: 204 })
  await api.call('GET /containers/{id}/json', { params: { id: 'exam' } })
  await api.call('POST /containers/{id}/unpause', { params, status: 204 })
  await api.call('POST /containers/{id}/update', { params, json: { Memory: 32 << 20, MemorySwap: 64 << 20 }, status: 200 })
  await api.call('POST /containers/{id}/rename', { params, query: { name: 'renamed' }, status: 204 })
  await api.call('POST /containers/{id}/restart', { params, query: { t: 5 }, status: 204 })
  await begunAgain(api, id)
  const waiting = api.call('POST /containers/{id}/wait', { params })
  await api.call('POST /containers/{id}/stop', { params, query: { t: 5 }, status: 204 })
  assert.equal((await waiting).json.StatusCode, 3)
  await api.call('POST /containers/{id}/stop', { params, status: 304 })
  await api.call('GET /containers/{id}/json', { params, query: { size: 1 } })
  await api.call('POST /containers/{id}/kill', { params, status: 409 })
  await api.call('DELETE /containers/{id}', { params, query: { v: 1 }, status: 204 })
  await api.call('GET /containers/{id}/json', { params, status: 404 })
  await api.call('POST /containers/create', { json: { Image: 'busybox', Cmd: ['true'] } })
  const pruned = await api.call('POST /containers/prune', { status: 200 })
  assert.equal(pruned.json.ContainersDeleted.length, 1)
}

async function looks(api: ApiExam, id: string): Promise<void> {
  const params = { id }
  await api.call('GET /containers/{id}/json', { params })
  const list = await api.call('GET /containers/json', { query: { all: 1, size: 1, filters: '{"label":["exam.of=containers"]}' } })
  assert.equal(list.json.length, 1)
  await api.call('GET /containers/{id}/top', { params, query: { ps_args: 'aux' } })
  await api.call('GET /containers/{id}/logs', { params, query: { stdout: 1, stderr: 1, timestamps: 1, tail: 10 } })
  await api.call('GET /containers/{id}/logs', { params, status: 400 })
  await api.call('GET /containers/{id}/stats', { params, query: { stream: 0, 'one-shot': 1 } })
  await api.call('GET /containers/{id}/stats', { params: { id: 'nothing' }, status: 404 })
}

async function files(api: ApiExam, id: string): Promise<void> {
  const params = { id }
  const bytes = await tarOf({ 'brought.txt': 'brought' })
  await api.call('PUT /containers/{id}/archive', { params, query: { path: '/tmp' }, bytes, status: 200 })
  const stat = await api.call('HEAD /containers/{id}/archive', { params, query: { path: '/tmp/brought.txt' } })
  const header = String(stat.headers['x-docker-container-path-stat'])
  assert.equal(JSON.parse(Buffer.from(header, 'base64').toString()).size, 7)
  await api.call('GET /containers/{id}/archive', { params, query: { path: '/tmp/brought.txt' } })
  await api.call('GET /containers/{id}/archive', { params, query: { path: '/nowhere' }, status: 404 })
  const changes = await api.call('GET /containers/{id}/changes', { params })
  assert.ok(changes.json.some((change: { readonly Path: string }) => change.Path === '/tmp/brought.txt'))
  const whole = await api.call('GET /containers/{id}/export', { params })
  assert.ok(whole.bytes.length > 100_000)
}

async function execs(api: ApiExam, id: string): Promise<void> {
  const spec = { Cmd: ['sh', '-c', 'echo out'], AttachStdout: true, AttachStderr: true }
  const made = await api.call('POST /containers/{id}/exec', { params: { id }, json: spec, status: 201 })
  const params = { id: String(made.json.Id) }
  await api.call('GET /exec/{id}/json', { params })
  const started = await api.call('POST /exec/{id}/start', { params, json: { Detach: false, Tty: false }, status: 200 })
  assert.deepEqual(started.bytes.subarray(8).toString(), 'out\n')
  await api.call('GET /exec/{id}/json', { params })
  await api.call('POST /exec/{id}/start', { params, json: { Detach: true }, status: 409 })
  await api.call('POST /exec/{id}/resize', { params: { id: 'nothing' }, query: { h: 1, w: 1 }, status: 404 })
  const resized = await api.call('POST /containers/{id}/exec', { params: { id }, json: { Cmd: ['sleep', '9'], Tty: true } })
  const other = { id: String(resized.json.Id) }
  await api.call('POST /exec/{id}/start', { params: other, json: { Detach: true, Tty: true }, status: 200 })
  await api.call('POST /exec/{id}/resize', { params: other, query: { h: 10, w: 20 }, status: 200 })
}

async function streams(api: ApiExam, id: string, socketPath: string): Promise<void> {
  const params = { id }
  const query = { logs: 1, stdout: 1, stderr: 1 }
  const attached = await api.call('POST /containers/{id}/attach', { params, query, status: 200 })
  assert.equal(attached.bytes.subarray(8).toString(), 'begun\n')
  const operation = 'GET /containers/{id}/attach/ws'
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'a2V5' }
  const status = await new Promise<number>((resolve, reject) => {
    const sent = request({ socketPath, path: api.path(operation, { params, query }), headers })
    sent.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode ?? 0)
    })
    sent.once('response', (response) => resolve(response.statusCode ?? 0))
    sent.once('error', reject)
    sent.end()
  })
  assert.equal(status, 101)
  assert.deepEqual(api.description.checkAnswer(operation, status, undefined), [])
}
