import assert from 'node:assert/strict'

import type { ApiExam } from './exam.ts'
import { tarOf } from './tar.ts'

/** `registry`: `localhost:PORT` of a registry that takes anything. */
export async function examImages(api: ApiExam, registry: string): Promise<void> {
  await builds(api)
  const params = { name: 'exam:built' }
  await api.call('GET /images/json', { query: { all: 1, 'shared-size': 1, filters: '{"reference":["exam*"]}' } })
  await api.call('GET /images/{name}/json', { params })
  await api.call('GET /images/{name}/json', { params: { name: 'nothing' }, status: 404 })
  await api.call('GET /images/{name}/history', { params })
  const pushed = `${registry}/exam/of-${api.minor ?? 'none'}`
  await api.call('POST /images/{name}/tag', { params, query: { repo: pushed, tag: '1' }, status: 201 })
  await moves(api, pushed)
  await archives(api)
  await api.call('POST /images/prune', { query: { filters: '{"dangling":["true"]}' }, status: 200 })
  await api.call('DELETE /images/{name}', { params: { name: 'nothing' }, status: 404 })
  const removed = await api.call('DELETE /images/{name}', { params, status: 200 })
  assert.ok(removed.json.length > 0)
  await api.call('GET /images/search', { query: { term: 'x' }, status: 501 })
}

async function builds(api: ApiExam): Promise<void> {
  const Dockerfile =
    'FROM busybox\nLABEL a=b\nEXPOSE 80\nVOLUME /v\nHEALTHCHECK CMD true\nRUN echo made > /made\nCMD ["cat", "/made"]\n'
  const headers = { 'content-type': 'application/x-tar' }
  const built = await api.call('POST /build', { query: { t: 'exam:built' }, bytes: await tarOf({ Dockerfile }), headers })
  assert.ok(built.lines.some((line) => String(line.stream).startsWith('Successfully tagged exam:built')))
  await api.call('POST /build/prune', { query: { all: 1 }, status: 200 })
}

async function moves(api: ApiExam, name: string): Promise<void> {
  const headers = { 'x-registry-auth': Buffer.from('{}').toString('base64url') }
  const pushed = await api.call('POST /images/{name}/push', { params: { name }, query: { tag: '1' }, headers })
  assert.ok(pushed.lines.some((line) => line.aux?.Tag === '1'))
  await api.call('GET /distribution/{name}/json', { params: { name: `${name}:1` }, status: 200 })
  await api.call('DELETE /images/{name}', { params: { name: `${name}:1` }, status: 200 })
  await api.call('POST /images/create', { query: { fromImage: name, tag: '1' } })
  await api.call('DELETE /images/{name}', { params: { name: `${name}:1` }, status: 200 })
  const credentials = { username: 'anna', password: 'any', serveraddress: name.split('/')[0] }
  await api.call('POST /auth', { json: credentials, status: 200 })
}

async function archives(api: ApiExam): Promise<void> {
  const saved = await api.call('GET /images/{name}/get', { params: { name: 'exam:built' } })
  await api.call('GET /images/get', { query: { names: ['exam:built', 'busybox:latest'] } })
  await api.call('POST /images/load', { bytes: saved.bytes, headers: { 'content-type': 'application/x-tar' } })
  const bytes = await tarOf({ file: 'of a root' })
  await api.call('POST /images/create', { query: { fromSrc: '-', repo: 'exam-import' }, bytes })
  const created = await api.call('POST /containers/create', { json: { Image: 'exam-import', Cmd: ['x'] } })
  const query = { container: String(created.json.Id), repo: 'exam-commit', tag: '1', comment: 'said', author: 'anna' }
  await api.call('POST /commit', { query, json: {}, status: 201 })
  await api.call('DELETE /containers/{id}', { params: { id: String(created.json.Id) } })
  for (const name of ['exam-commit:1', 'exam-import']) await api.call('DELETE /images/{name}', { params: { name } })
}
