import assert from 'node:assert/strict'

import type { ApiExam } from './exam.ts'

/** What the daemon says of itself and of what happened. Asked last: it has something to tell then. */
export async function examSystem(api: ApiExam): Promise<void> {
  const ping = await api.call('GET /_ping')
  assert.equal(ping.bytes.toString(), 'OK')
  const head = await api.call('HEAD /_ping')
  for (const name of ['api-version', 'builder-version', 'docker-experimental', 'swarm', 'ostype', 'cache-control', 'pragma'])
    assert.equal(typeof head.headers[name], 'string', name)
  assert.deepEqual([head.headers['content-length'], head.bytes.length], ['0', 0])
  await api.call('GET /version')
  await api.call('GET /info')
  await api.call('POST /containers/create', { query: { name: 'exam-seen' }, json: { Image: 'busybox', Cmd: ['true'] } })
  await api.call('GET /system/df')
  if (api.minor === null || api.minor >= 42) await api.call('GET /system/df', { query: { type: ['image', 'volume'] } })
  await api.call('DELETE /containers/{id}', { params: { id: 'exam-seen' } })
  const events = await api.call('GET /events', { query: { since: '1', until: '0s' } })
  assert.ok(events.lines.length > 20)
  assert.deepEqual(
    ['container', 'image', 'network', 'volume'].filter((type) => !events.lines.some((event) => event.Type === type)),
    [],
  )
  const plugins = await api.call('GET /plugins')
  assert.deepEqual(plugins.json, [])
}
