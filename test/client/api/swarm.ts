import assert from 'node:assert/strict'

import type { ApiExam } from './exam.ts'

/** What a service of today is; older versions leave out what they do not know. */
function service(replicas: number, network: string) {
  return {
    Name: 'api',
    Labels: { part: 'exam' },
    TaskTemplate: {
      ContainerSpec: { Image: 'busybox', Command: ['sh', '-c', 'echo hello; exec sleep 1000'], StopGracePeriod: 1_000_000 },
      Networks: [{ Target: network, Aliases: ['also'] }],
    },
    Mode: { Replicated: { Replicas: replicas } },
  }
}

/** Each operation of swarm mode, on a machine that is in no swarm before and after. */
export async function examSwarm(api: ApiExam): Promise<void> {
  await api.call('POST /swarm/init', { json: { ListenAddr: '0.0.0.0:2377', Spec: { Labels: { a: 'b' } } } })
  try {
    const swarm = (await api.call('GET /swarm')).json
    assert.match(swarm.JoinTokens.Worker, /^SWMTKN-1-/)
    await api.call('POST /swarm/update', { query: { version: swarm.Version.Index, rotateWorkerToken: true }, json: swarm.Spec })
    assert.equal((await api.call('GET /swarm/unlockkey')).json.UnlockKey, '')
    await api.call('POST /swarm/unlock', { json: { UnlockKey: 'SWMKEY-1-x' }, status: 409 })
    await api.call('GET /info')
    await examNodes(api)
    await examSecrets(api, 'secret')
    await examSecrets(api, 'config')
    await examServices(api)
  } finally {
    await api.call('POST /swarm/leave', { query: { force: true } })
  }
}

async function examNodes(api: ApiExam): Promise<void> {
  const [{ ID }] = (await api.call('GET /nodes')).json
  const node = (await api.call('GET /nodes/{id}', { params: { id: ID } })).json
  const spec = { ...node.Spec, Labels: { zone: 'a' } }
  await api.call('POST /nodes/{id}/update', { params: { id: ID }, query: { version: node.Version.Index }, json: spec })
  await api.call('DELETE /nodes/{id}', { params: { id: ID }, status: 400 })
}

async function examSecrets(api: ApiExam, kind: 'secret' | 'config'): Promise<void> {
  const body = { Name: 'word', Labels: {}, Data: Buffer.from('hush').toString('base64') }
  const id: string = (await api.call(`POST /${kind}s/create`, { json: body })).json.ID
  await api.call(`POST /${kind}s/create`, { json: body, status: 409 })
  const made = (await api.call(`GET /${kind}s/{id}`, { params: { id } })).json
  const spec = { ...made.Spec, Labels: { a: 'b' } }
  await api.call(`POST /${kind}s/{id}/update`, { params: { id }, query: { version: made.Version.Index }, json: spec })
  assert.equal((await api.call(`GET /${kind}s`)).json[0].Spec.Labels.a, 'b')
  await api.call(`DELETE /${kind}s/{id}`, { params: { id } })
  await api.call(`GET /${kind}s/{id}`, { params: { id }, status: 404 })
}

async function examServices(api: ApiExam): Promise<void> {
  const overlay = await api.call('POST /networks/create', { json: { Name: 'exam-overlay', Driver: 'overlay', Attachable: true } })
  const network: string = overlay.json.Id
  const id: string = (await api.call('POST /services/create', { json: service(1, 'exam-overlay') })).json.ID
  const made = (await api.call('GET /services/{id}', { params: { id } })).json
  const stale = { params: { id }, query: { version: 1 }, json: service(2, network), status: 500 }
  assert.match((await api.call('POST /services/{id}/update', stale)).json.message, /update out of sequence/)
  assert.equal(made.Spec.Mode.Replicated.Replicas, 1)
  const task = await startedTask(api)
  const [attached] = (await api.call('GET /tasks/{id}', { params: { id: task } })).json.NetworksAttachments
  assert.equal(attached.Network.Spec.Name, 'exam-overlay')
  const [own] = (await api.call('GET /services/{id}', { params: { id }, query: { insertDefaults: true } })).json.Endpoint
    .VirtualIPs
  assert.equal(own.NetworkID, network)
  const shown = (await api.call('GET /networks/{id}', { params: { id: network }, query: { verbose: true } })).json
  assert.equal(shown.Services.api.VIP, own.Addr.split('/')[0])
  await api.call('DELETE /networks/{id}', { params: { id: network }, status: 400 })
  await api.call('GET /tasks/{id}/logs', { params: { id: task }, query: { stdout: true } })
  await api.call('GET /services/{id}/logs', { params: { id }, query: { stdout: true } })
  const { Index } = (await api.call('GET /services/{id}', { params: { id } })).json.Version
  await api.call('POST /services/{id}/update', { params: { id }, query: { version: Index }, json: service(0, network) })
  assert.equal((await api.call('GET /services')).json[0].Spec.Mode.Replicated.Replicas, 0)
  await api.call('DELETE /services/{id}', { params: { id } })
  await api.call('DELETE /networks/{id}', { params: { id: network } })
}

const LOOKS = 100
const LOOK_EVERY_MS = 50

async function startedTask(api: ApiExam): Promise<string> {
  for (let look = 0; look < LOOKS; look += 1) {
    const [task] = (await api.call('GET /tasks')).json
    if (task?.Status.State === 'running') return task.ID
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  throw new Error('no task was started')
}
