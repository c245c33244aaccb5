import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { TASK_LABELS } from '#cluster/agent'
import { TASK_STATES, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { ContainerRecord } from '#engine/containers'

import { serviceSpec, wishFor } from '../../test/sim/specs.ts'
import { followSight, lookAtCluster, type ClusterRecords } from './cluster-sight.ts'
import { clusterAsDiscovered } from './discovery-source.ts'
import { policedStacks } from './policy-source.ts'

const NODE = 'n1'

function service(name: string, more: Partial<ServiceRecord> = {}): ServiceRecord {
  const fixed = { labels: {}, revision: 1, previousRevision: null, replicas: 1, rollout: null, createdAtMs: 0, updatedAtMs: 0 }
  return { id: `id-${name}`, name, stack: null, state: 'active', ...fixed, ...more }
}

function revision(of: ServiceRecord, number: number, networks: readonly string[], shortName = of.name): RevisionRecord {
  const spec = serviceSpec({ name: shortName })
  const { parts } = wishFor({ name: shortName })
  const own = networks.map((name) => ({ key: name, name, isExternal: true, isInternal: false, subnets: [], labels: {} }))
  return {
    serviceId: of.id,
    number,
    spec: { ...spec, task: { ...spec.task, networks: networks.map((network) => ({ network, aliases: ['also'] })) } },
    parts: { ...parts, networks: own },
    imageId: 'sha256:1',
    templateHash: 'h',
    createdAtMs: 0,
    by: 'user',
  }
}

function task(
  id: string,
  of: ServiceRecord,
  more: Partial<TaskRecord> = {},
  status: Partial<TaskRecord['status']> = {},
): TaskRecord {
  const times = { createdAtMs: 0, updatedAtMs: 0, startAfterMs: 0 }
  return {
    id,
    serviceId: of.id,
    revision: 1,
    slot: 1,
    nodeId: NODE,
    desiredState: 'running',
    runId: null,
    placement: '',
    ...times,
    status: {
      state: 'running',
      sinceMs: 0,
      message: '',
      error: '',
      containerId: `c-${id}`,
      exitCode: null,
      isOomKilled: false,
      isReady: true,
      addresses: { front: '10.9.0.9' },
      hostPorts: [],
      ...status,
    },
    ...more,
  }
}

function container(id: string, labels: Readonly<Record<string, string>>, more: Partial<ContainerRecord['status']> = {}) {
  const status = { state: 'running', pid: 7, health: null, ...more }
  return { id, name: id, spec: { labels }, status } as unknown as ContainerRecord
}

async function discover(records: ClusterRecords, containers: readonly ContainerRecord[]) {
  const nothing = { listen: () => ({ [Symbol.dispose]: () => undefined }) }
  const rows = { 'service/': records.services, 'revision/': records.revisions, 'task/': records.tasks }
  const range = (prefix: string) => (rows[prefix as keyof typeof rows] ?? []).map((value) => ({ key: '', value, revision: 1 }))
  const source = clusterAsDiscovered({
    nodeId: NODE,
    mirror: { ...nothing, opened: Promise.resolve(), range: range as never, get: () => undefined },
    containers: { list: () => [...containers] },
    networks: { endpointsOf: (id) => [{ networkName: 'front', ipAddress: `ip-${id}`, ipv6Address: '' }] as never },
    events: nothing,
  })
  return await source.services()
}

test('a service belongs to its stack, to the namespace of docker stack deploy, or to nobody', () => {
  const shop = service('shop_web', { stack: 'shop' })
  const bank = service('bank_web', { labels: { 'com.docker.stack.namespace': 'bank' } })
  const odd = service('odd', { labels: { 'com.docker.stack.namespace': 'bank' } })
  const alone = service('web')
  const services = [shop, bank, odd, alone]
  const revisions = services.map((one) => revision(one, 1, ['front'], one === shop ? 'web' : one.name))
  const owners = lookAtCluster({ services, revisions, tasks: [] }, []).services.map(({ owner }) => owner)
  assert.deepEqual(owners, [
    { application: 'shop', service: 'web' },
    { application: 'bank', service: 'web' },
    { application: 'bank', service: 'odd' },
    { application: null, service: 'web' },
  ])
})

test('networks of older tasks stay as long as these live', () => {
  const web = service('web', { revision: 2 })
  const revisions = [revision(web, 1, ['front', 'back']), revision(web, 2, ['front'])]
  const names = (tasks: readonly TaskRecord[]) =>
    lookAtCluster({ services: [web], revisions, tasks }, []).services[0]?.networks.map(({ name }) => name)
  assert.deepEqual(names([task('a', web)]), ['front', 'back'])
  assert.deepEqual(names([task('a', web, {}, { state: 'shutdown' })]), ['front'])
})

test('property: ready is who runs here, is said to be ready, and is not to end', async () => {
  const web = service('web')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...TASK_STATES),
      fc.boolean(),
      fc.constantFrom('ready' as const, 'running' as const, 'shutdown' as const, 'remove' as const),
      fc.constantFrom(NODE, 'n2'),
      fc.constantFrom('running', 'exited', 'paused', 'none'),
      fc.constantFrom(null, 'starting', 'healthy', 'unhealthy'),
      async (state, isReady, desiredState, nodeId, here, health) => {
        const records = {
          services: [web],
          revisions: [revision(web, 1, ['front'])],
          tasks: [task('a', web, { desiredState, nodeId }, { state, isReady })],
        }
        const status = { state: here, pid: here === 'exited' ? 0 : 7, health: health === null ? null : { status: health } }
        const own = here === 'none' ? [] : [container('c-a', { [TASK_LABELS.task]: 'a' }, status as never)]
        const [seen] = await discover(records, own)
        const ready = (seen?.tasks ?? []).filter((one) => one.isReady)
        const isWanted = state === 'running' && isReady && (desiredState === 'running' || desiredState === 'ready')
        const isFit = here === 'running' && (health === null || health === 'healthy')
        assert.equal(ready.length === 1, isWanted && (isFit || (here === 'none' && nodeId !== NODE)))
        if (here === 'running' && ready[0] !== undefined) assert.deepEqual(ready[0].addresses['front'], ['ip-c-a'])
      },
    ),
  )
})

test('policy knows applications by their containers, and services of none as such', () => {
  const bank = service('bank_web', { labels: { 'com.docker.stack.namespace': 'bank' } })
  const alone = service('web')
  const services = [bank, alone]
  const records = {
    services,
    revisions: [revision(bank, 1, ['bank_front']), revision(alone, 1, ['wire'])],
    tasks: [task('a', bank), task('b', alone)],
  }
  const containers = [
    container('c-a', { [TASK_LABELS.task]: 'a' }),
    container('c-b', { [TASK_LABELS.task]: 'b' }),
    // Its task is forgotten, and the container not gone yet.
    container('c-x', { [TASK_LABELS.task]: 'x', [TASK_LABELS.stack]: 'bank', [TASK_LABELS.service]: 'old' }),
    container('c-y', {}),
  ]
  const stacks = policedStacks({
    sight: lookAtCluster(records, containers),
    specs: [],
    containers,
    networks: {
      find: (name) => ({ name, bridge: `gb-${name}`, subnets: [], isPredefined: false }) as never,
      endpointsOf: (id) => [{ networkName: 'bank_front', ipAddress: `ip-${id}`, ipv6Address: '' }] as never,
    },
  })
  const told = stacks.map(({ name, isLoose, networks, services: own }) => ({
    name,
    isLoose,
    networks: networks.map(({ key }) => key),
    services: own.map((one) => [one.name, one.tasks.map((each) => each.name)]),
  }))
  assert.deepEqual(told, [
    {
      name: 'bank',
      isLoose: undefined,
      networks: ['front'],
      services: [
        ['web', ['c-a']],
        ['old', ['c-x']],
      ],
    },
    { name: '', isLoose: true, networks: ['wire', 'bank_front'], services: [['web', ['c-b']]] },
  ])
})

test('of a task on its way only what changes names or addresses is news', () => {
  let listener: (batch: never) => void = () => undefined
  let news = 0
  using _following = followSight(
    {
      listen: (wanted) => {
        listener = wanted
        return { [Symbol.dispose]: () => undefined }
      },
    },
    () => void (news += 1),
  )
  const web = service('web')
  const heard = (key: string, value: unknown) => {
    const before = news
    listener({ revision: 1, changes: [{ key, value }] } as never)
    return news > before
  }
  const at = (status: Partial<TaskRecord['status']>) => task('a', web, {}, status)
  const waiting = { state: 'preparing', isReady: false, containerId: null, addresses: {} } as const
  assert.equal(heard('task/a', at(waiting)), true)
  assert.equal(heard('task/a', at({ ...waiting, message: 'its container is being made' })), false)
  assert.equal(heard('task/a', at({ ...waiting, containerId: 'c', state: 'ready' })), true)
  assert.equal(heard('task/a', at({ ...waiting, containerId: 'c', state: 'starting' })), false)
  assert.equal(heard('task/a', at({})), true)
  assert.equal(heard('task/a', null), true)
  assert.equal(heard('task/a', null), false)
  assert.equal(heard('turn/x', {}), false)
  assert.equal(heard('service/x', web), true)
})
