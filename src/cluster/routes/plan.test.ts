import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { RevisionRecord, RolloutRecord, ServiceRecord, StackRecord, TaskRecord, TaskState } from '#cluster/model'
import { PLAIN_RULE, type RouteSpec } from '#cluster/spec'

import { wishFor } from '../../../test/sim/specs.ts'
import { planRoutes, type RoutedService } from './plan.ts'

const ROLLOUT: RolloutRecord = {
  from: 1,
  to: 2,
  state: 'running',
  startedAtMs: 0,
  endedAtMs: null,
  reason: '',
  step: 0,
  stepStartedAtMs: 0,
  weightPercent: 20,
  failedTasks: [],
  isPromoted: false,
  judgements: [],
}

const WEB: ServiceRecord = {
  id: 's1',
  name: 'shop_web',
  stack: 'shop',
  labels: {},
  revision: 2,
  previousRevision: 1,
  replicas: 2,
  state: 'active',
  rollout: null,
  createdAtMs: 0,
  updatedAtMs: 0,
}

function revision(number: number): RevisionRecord {
  const port = { containerPort: 80, protocol: 'tcp', hostIp: '', published: 8080, mode: 'ingress', appProtocol: 'http' } as const
  const wish = wishFor({ name: 'web' })
  const { parts, imageId } = wish
  const spec = { ...wish.spec, ports: [port] }
  return { serviceId: 's1', number, spec, parts, imageId, templateHash: `hash ${number}`, createdAtMs: 0, by: 'ann' }
}

function task(id: string, number: number, more: { state?: TaskState; isReady?: boolean; isLeaving?: boolean } = {}): TaskRecord {
  const { state = 'running', isReady = true, isLeaving = false } = more
  return {
    id,
    serviceId: 's1',
    revision: number,
    slot: 1,
    nodeId: 'n1',
    desiredState: isLeaving ? 'shutdown' : 'running',
    status: {
      state,
      sinceMs: 0,
      message: '',
      error: '',
      containerId: 'c',
      exitCode: null,
      isOomKilled: false,
      isReady,
      addresses: { net: `10.0.0.${number}` },
      hostPorts: [],
    },
    startAfterMs: 0,
    runId: null,
    placement: '',
    createdAtMs: 0,
    updatedAtMs: 0,
  }
}

function web(tasks: readonly TaskRecord[], more: Partial<ServiceRecord> = {}): RoutedService {
  return {
    service: { ...WEB, ...more },
    revisions: new Map([1, 2].map((number) => [number, revision(number)])),
    tasks,
  }
}

function stack(routes: readonly RouteSpec[]): StackRecord {
  const spec = {
    name: 'shop',
    workingDir: '',
    configFiles: [],
    services: [],
    networks: [],
    volumes: [],
    secrets: [],
    configs: [],
    routes,
  }
  const fixed = { revision: 1, state: 'active', removeVolumes: false, chosenPorts: {}, awaited: {} } as const
  return { spec, ...fixed, former: { networks: [], volumes: [] }, createdAtMs: 0, updatedAtMs: 0 }
}

const SITE: RouteSpec = {
  name: 'site',
  hostIp: '',
  port: 80,
  mode: 'http',
  targets: [
    { type: 'service', name: 'web', service: 'web', containerPort: 80, share: 90 },
    { type: 'address', name: 'old', host: '192.0.2.1', port: 81, share: 10 },
  ],
  rule: { ...PLAIN_RULE, hosts: ['shop.test'] },
}

describe('routes', () => {
  it('are there for each published port, whoever answers', () => {
    const [route] = planRoutes([], [web([])]).routes
    assert.deepEqual([route?.id, route?.hostPort, route?.mode, route?.backends], ['shop/web/8080', 8080, 'http', []])
    assert.deepEqual(planRoutes([], [web([], { state: 'removing' })]).routes, [])
    assert.equal(planRoutes([], [web([], { stack: null, name: 'web' })]).routes[0]?.id, 'web/8080')
  })

  it('name tasks that run and are ready, and let those that leave finish', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            state: fc.constantFrom<TaskState>('starting', 'running', 'complete', 'failed'),
            isReady: fc.boolean(),
            isLeaving: fc.boolean(),
          }),
        ),
        (drawn) => {
          const tasks = drawn.map((one, index) => task(`t${index}`, 2, one))
          const backends = planRoutes([], [web(tasks)]).routes[0]?.backends ?? []
          const expected = drawn.flatMap(({ state, isReady, isLeaving }, index) => {
            if (state !== 'running' || (!isReady && !isLeaving)) return []
            return [[`t${index}`, isReady && !isLeaving ? 'ready' : 'draining']]
          })
          assert.deepEqual(
            backends.map(({ id, state }) => [id, state]),
            expected,
          )
        },
      ),
    )
  })

  it('spread by the weight of a rollout, and count each revision apart', () => {
    const { routes, traffic } = planRoutes([], [web([task('a', 1), task('b', 2)], { rollout: ROLLOUT })])
    assert.deepEqual(routes[0]?.groups, [
      { name: 'r1', share: 80 },
      { name: 'r2', share: 20 },
    ])
    assert.deepEqual(
      routes[0]?.backends.map(({ id, group }) => [id, group]),
      [
        ['a', 'r1'],
        ['b', 'r2'],
      ],
    )
    assert.deepEqual(
      traffic.map(({ revision: number, routeId, group }) => [number, routeId, group]),
      [
        [1, 'shop/web/8080', 'r1'],
        [2, 'shop/web/8080', 'r2'],
      ],
    )
  })

  it('that are declared keep their shares, of which a rollout takes its part', () => {
    const plain = planRoutes([stack([SITE])], [web([task('a', 1)])]).routes.find(({ id }) => id === 'shop/web/site')
    assert.deepEqual(plain?.groups, [
      { name: 'web', share: 90 },
      { name: 'old', share: 10 },
    ])
    const { routes, traffic } = planRoutes([stack([SITE])], [web([task('a', 1), task('b', 2)], { rollout: ROLLOUT })])
    const rolling = routes.find(({ id }) => id === 'shop/web/site')
    assert.deepEqual(rolling?.groups, [
      { name: 'web.r1', share: 72 },
      { name: 'web.r2', share: 18 },
      { name: 'old', share: 10 },
    ])
    assert.deepEqual(
      rolling?.backends.map(({ id, group }) => [id, group]),
      [
        ['a', 'web.r1'],
        ['b', 'web.r2'],
        ['old', 'old'],
      ],
    )
    assert.ok(
      traffic.some(({ routeId, group, revision: number }) => routeId === 'shop/web/site' && group === 'web.r2' && number === 2),
    )
  })
})
