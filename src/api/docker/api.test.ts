import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fail } from '#base'

import { servedApi } from './testing/socket.ts'

test('a ping tells the version, the builder and that there is no swarm', async () => {
  await using api = await servedApi()
  for (const method of ['GET', 'HEAD']) {
    const answer = await api.call(method, '/_ping')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['api-version'], '1.51')
    assert.equal(answer.headers['builder-version'], '1')
    assert.equal(answer.headers['ostype'], 'linux')
    assert.equal(answer.headers['docker-experimental'], 'false')
    assert.equal(answer.text, method === 'GET' ? 'OK' : '')
  }
})

test('versions out of range are refused in the words that clients parse', async () => {
  await using api = await servedApi()
  const tooNew = await api.call('GET', '/v1.99/info')
  assert.deepEqual(
    [tooNew.status, tooNew.json],
    [400, { message: 'client version 1.99 is too new. Maximum supported API version is 1.51' }],
  )
  const tooOld = await api.call('GET', '/v1.12/info')
  assert.equal(tooOld.status, 400)
  assert.match(tooOld.text, /client version 1\.12 is too old\. Minimum supported API version is 1\.24, please upgrade/)
})

test('a path is found with and without version and trailing slash', async () => {
  await using api = await servedApi()
  for (const path of ['/version', '/v1.24/version', '/v1.51/version/'])
    assert.equal((await api.call('GET', path)).status, 200, path)
  const missing = await api.call('GET', '/v1.51/nowhere')
  assert.deepEqual([missing.status, missing.json], [404, { message: 'page not found' }])
})

test('names of images may hold slashes, escaped or not', async () => {
  await using api = await servedApi()
  for (const name of ['reg.example/a/b:1', 'reg.example%2Fa%2Fb:1']) {
    const answer = await api.call('GET', `/images/${name}/json`)
    assert.deepEqual([answer.status, answer.json], [404, { message: 'No such image: reg.example/a/b:1' }])
  }
})

test('a container is created, waited for, started and gone', async () => {
  await using api = await servedApi()
  const created = await api.call('POST', '/v1.51/containers/create?name=web', { Image: 'box:1', Cmd: ['exit', '7'] })
  assert.equal(created.status, 201)
  const { Id: id } = created.json as { Id: string }
  const waiting = api.call('POST', `/containers/${id}/wait?condition=next-exit`)
  assert.equal((await api.call('POST', '/containers/web/start')).status, 204)
  assert.deepEqual((await waiting).json, { StatusCode: 7 })
  assert.equal((await api.call('DELETE', '/containers/web')).status, 204)
  assert.equal((await api.call('GET', '/containers/web/json')).status, 404)
})

test('starting what runs and stopping what does not is 304', async () => {
  await using api = await servedApi()
  await api.call('POST', '/containers/create?name=web', { Image: 'box:1', Cmd: ['sleep'] })
  assert.equal((await api.call('POST', '/containers/web/stop')).status, 304)
  await api.call('POST', '/containers/web/start')
  assert.equal((await api.call('POST', '/containers/web/start')).status, 304)
  assert.equal((await api.call('POST', '/containers/web/stop?t=1')).status, 204)
})

test('what is not supported is refused by name, empty fields pass', async () => {
  await using api = await servedApi()
  const create = (hostConfig: object) => api.call('POST', '/containers/create', { Image: 'box:1', HostConfig: hostConfig })
  assert.equal((await create({ DeviceRequests: null, Links: [], BlkioWeightDevice: [], KernelMemory: 0 })).status, 201)
  const cpus = await create({ CpuCount: 2 })
  assert.equal(cpus.status, 501)
  assert.match(cpus.text, /HostConfig\.CpuCount is not supported/)
  assert.equal((await create({ Links: ['a:b'] })).status, 400)
  assert.match((await create({ cpucount: 2 })).text, /HostConfig\.cpucount is not supported/)
  // Of no version of the API: a client's own, or a later version's.
  assert.equal((await create({ Frobnicate: 1 })).status, 201)
})

test('bad bodies are the client’s fault', async () => {
  await using api = await servedApi()
  for (const body of ['{', '[]', '{"Image": 3}', `{"Image":"box:1","Cmd":${'['.repeat(60)}${']'.repeat(60)}}`]) {
    const answer = await api.call('POST', '/containers/create', Buffer.from(body))
    assert.equal(answer.status, 400, `${body}: ${answer.text}`)
  }
  const large = await api.call('POST', '/containers/create', Buffer.alloc(5 * 1024 * 1024, 32))
  assert.equal(large.status, 400)
  assert.match(large.text, /larger than/)
})

test('swarm mode answers as a node that is in none', async () => {
  await using api = await servedApi()
  for (const path of ['/services', '/nodes', '/secrets/x', '/swarm']) {
    const answer = await api.call('GET', path)
    assert.equal(answer.status, 503, path)
    assert.match(answer.text, /This node is not a swarm manager/)
  }
  const info = (await api.call('GET', '/info')).json as { Swarm: { LocalNodeState: string } }
  assert.equal(info.Swarm.LocalNodeState, 'inactive')
})

test('a failure inside a stream of progress is told in its last line', async () => {
  await using api = await servedApi()
  const broken = await api.call('POST', '/images/load', Buffer.from('x'))
  assert.equal(broken.status, 200)
  assert.match(broken.text, /"errorDetail":\{"message":"the archive is broken"\}/)
  const good = await api.call('POST', '/images/load?quiet=1', Buffer.from('xy'))
  assert.match(good.text, /"stream":"Loaded image: box:1\\n"/)
  assert.doesNotMatch(good.text, /Loading layer/)
})

test('a failure of ours is logged and says 500 with its words', async () => {
  await using api = await servedApi((engine) => ({
    ...engine,
    volumes: {
      ...engine.volumes,
      list: () => {
        throw new Error('the store is broken')
      },
    },
  }))
  const answer = await api.call('GET', '/volumes')
  assert.deepEqual([answer.status, answer.json], [500, { message: 'the store is broken' }])
})

test('hints follow the message', async () => {
  await using api = await servedApi((engine) => ({
    ...engine,
    volumes: {
      ...engine.volumes,
      list: () => {
        throw fail('queue.full', 'too many', { hint: 'Come back later.' })
      },
    },
  }))
  const answer = await api.call('GET', '/volumes')
  assert.deepEqual([answer.status, answer.json], [503, { message: 'too many. Come back later.' }])
})

test('events end at until, with nanoseconds as they are', async () => {
  await using api = await servedApi()
  await api.call('POST', '/containers/create?name=web', { Image: 'box:1' })
  const filters = encodeURIComponent(JSON.stringify({ type: { container: true }, container: { web: true } }))
  const answer = await api.call('GET', `/events?until=1900000000&filters=${filters}`)
  assert.match(answer.text, /"Action":"create".*"timeNano":1767000000000000000\}\n$/)
  const none = await api.call('GET', `/events?until=1900000000&filters=${encodeURIComponent('{"type":["volume"]}')}`)
  assert.equal(none.text, '')
  assert.equal((await api.call('GET', '/events?filters={"x":["y"]}')).status, 400)
})

test('logs come in frames, with what was asked before each line', async () => {
  await using api = await servedApi()
  await api.call('POST', '/containers/create?name=web', { Image: 'box:1', Cmd: ['exit', '0'] })
  await api.call('POST', '/containers/web/start')
  await api.call('POST', '/containers/web/wait')
  const answer = await api.call('GET', '/containers/web/logs?stdout=1&timestamps=1&details=1')
  assert.equal(answer.headers['content-type'], 'application/vnd.docker.multiplexed-stream')
  const line = '2026-01-02T03:04:05.678901234Z  exit 0\n'
  assert.equal(answer.text, `\u0001\0\0\0\0\0\0${String.fromCharCode(line.length)}${line}`)
  const old = await api.call('GET', '/v1.41/containers/web/logs?stdout=1')
  assert.equal(old.headers['content-type'], 'application/vnd.docker.raw-stream')
  assert.equal((await api.call('GET', '/containers/web/logs')).status, 400)
})

test('one stats answer compares two samples, a one-shot has one', async () => {
  await using api = await servedApi()
  await api.call('POST', '/containers/create?name=web', { Image: 'box:1', Cmd: ['sleep'] })
  const idle = (await api.call('GET', '/containers/web/stats?stream=false')).json as { preread: string }
  assert.equal(idle.preread, '0001-01-01T00:00:00Z')
  await api.call('POST', '/containers/web/start')
  const shot = (await api.call('GET', '/containers/web/stats?stream=false&one-shot=true')).json as {
    precpu_stats: object
    memory_stats: { usage: number }
  }
  assert.equal(shot.memory_stats.usage, 1000)
  assert.equal((await api.call('GET', '/containers/web/stats?one-shot=true')).status, 400)
})
