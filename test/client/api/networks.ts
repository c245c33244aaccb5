import assert from 'node:assert/strict'

import type { ApiExam } from './exam.ts'

/** Networks with a container on them, and volumes. */
export async function examNetworksAndVolumes(api: ApiExam): Promise<void> {
  const spec = { Name: 'exam-net', Labels: { a: 'b' }, IPAM: { Config: [{ Subnet: '10.211.7.0/24', Gateway: '10.211.7.1' }] } }
  const made = await api.call('POST /networks/create', { json: spec, status: 201 })
  const params = { id: String(made.json.Id) }
  await api.call('POST /networks/create', { json: { Name: 'exam-net', CheckDuplicate: true }, status: 409 })
  const container = await api.call('POST /containers/create', {
    query: { name: 'exam-member' },
    json: { Image: 'busybox', Cmd: ['sleep', '100'], HostConfig: { Init: true } },
  })
  const id = String(container.json.Id)
  await api.call('POST /containers/{id}/start', { params: { id } })
  const EndpointConfig = { Aliases: ['alias'], IPAMConfig: { IPv4Address: '10.211.7.9' } }
  await api.call('POST /networks/{id}/connect', { params, json: { Container: id, EndpointConfig }, status: 200 })
  const inspected = await api.call('GET /networks/{id}', { params, query: { verbose: 'true' } })
  assert.equal(inspected.json.Containers[id].IPv4Address, '10.211.7.9/24')
  await api.call('GET /containers/{id}/json', { params: { id } })
  await api.call('GET /containers/json')
  await api.call('GET /networks', { query: { filters: '{"driver":["bridge"]}' } })
  await api.call('DELETE /networks/{id}', { params, status: 403 })
  await api.call('POST /networks/{id}/disconnect', { params, json: { Container: id, Force: true }, status: 200 })
  await api.call('DELETE /networks/{id}', { params, status: 204 })
  await api.call('GET /networks/{id}', { params, status: 404 })
  await api.call('DELETE /containers/{id}', { params: { id }, query: { force: 1 } })
  await api.call('POST /networks/create', { json: { Name: 'exam-idle' } })
  const pruned = await api.call('POST /networks/prune', { status: 200 })
  assert.deepEqual(pruned.json.NetworksDeleted, ['exam-idle'])
  await volumes(api)
}

async function volumes(api: ApiExam): Promise<void> {
  const params = { name: 'exam-volume' }
  await api.call('POST /volumes/create', { json: { Name: 'exam-volume', Labels: { a: 'b' } }, status: 201 })
  await api.call('GET /volumes/{name}', { params })
  const list = await api.call('GET /volumes', { query: { filters: '{"name":["exam-volume"]}' } })
  assert.equal(list.json.Volumes.length, 1)
  await api.call('DELETE /volumes/{name}', { params, status: 204 })
  await api.call('DELETE /volumes/{name}', { params, status: 404 })
  await api.call('POST /volumes/create', { json: {} })
  await api.call('POST /volumes/prune', { status: 200 })
}
