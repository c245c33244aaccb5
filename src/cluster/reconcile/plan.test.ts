import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { seededRandom } from '#base'

import { type MountSpec, PLAIN_SERVICE, type RestartSpec, type ServiceSpec, type StackSpec } from '#cluster/spec'
import { countCrashes } from './crashes.ts'
import { performStep } from './perform-step.ts'
import { planReconcile } from './plan.ts'
import { simulatedNode } from './simulated-node.ts'
import type { StackRecord } from './stack-record.ts'
import type { Crash, Plan, Snapshot, Step } from './steps.ts'
import { LABELS } from './task-spec.ts'

const ALWAYS: RestartSpec = { condition: 'always', maxAttempts: 0, delayMs: 0 }

interface ServiceOptions {
  readonly replicas?: number
  readonly image?: string
  readonly dependsOn?: ServiceSpec['dependsOn']
  readonly restart?: RestartSpec
  readonly hasVolume?: boolean
  readonly hasPort?: boolean
}

function service(name: string, options: ServiceOptions = {}): ServiceSpec {
  const mounts: MountSpec[] =
    options.hasVolume === true
      ? [{ type: 'volume', volume: 'data', target: '/data', isReadOnly: false, isNoCopy: false, subpath: '' }]
      : []
  return {
    ...PLAIN_SERVICE,
    name,
    replicas: options.replicas ?? 1,
    dependsOn: options.dependsOn ?? [],
    restart: options.restart ?? ALWAYS,
    ports:
      options.hasPort === true
        ? [{ containerPort: 80, protocol: 'tcp', hostIp: '', published: 8080, mode: 'ingress', appProtocol: 'tcp' }]
        : [],
    containerName: null,
    task: {
      image: options.image ?? 'web:1',
      command: null,
      entrypoint: null,
      environment: {},
      user: null,
      additionalGroups: [],
      workingDir: null,
      hostname: null,
      domainname: null,
      labels: {},
      annotations: {},
      hasInit: false,
      hasTty: false,
      isStdinOpen: false,
      stopSignal: null,
      stopGracePeriodMs: null,
      expose: [],
      health: null,
      mounts,
      networks: [{ network: 'default', aliases: [] }],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      extraHosts: [],
      resources: {
        memoryBytes: null,
        memorySwapBytes: null,
        memoryReservationBytes: null,
        nanoCpus: null,
        reservedNanoCpus: null,
        cpuShares: null,
        cpusetCpus: '',
        pidsLimit: null,
        shmBytes: null,
        ulimits: [],
      },
      security: {
        isPrivileged: false,
        isReadOnlyRoot: false,
        capAdd: [],
        capDrop: [],
        isNoNewPrivileges: false,
        isSeccompUnconfined: false,
        isSystemPathsUnconfined: false,
        sysctls: {},
      },
      log: { driver: 'json-file', options: {} },
    },
  }
}

function record(services: readonly ServiceSpec[], more: Partial<StackRecord> = {}): StackRecord {
  const spec: StackSpec = {
    name: 'shop',
    workingDir: '/srv',
    configFiles: [],
    services,
    networks: [{ key: 'default', name: 'shop_default', isExternal: false, isInternal: false, subnets: [], labels: {} }],
    volumes: [{ key: 'data', name: 'shop_data', isExternal: false, driverOptions: {}, labels: {} }],
    secrets: [],
    configs: [],
  }
  const images = Object.fromEntries(services.map((item) => [item.name, `sha256:${item.task.image}`]))
  return { spec, revision: 1, state: 'active', removeVolumes: false, images, chosenPorts: {}, ...more }
}

/** Drives plans against a simulated node, one step after another, as the loop does with more at once. */
function world(seed = 1) {
  let nowMs = 1_000_000
  const node = simulatedNode(seededRandom(seed), nowMs)
  node.setImage('web:1', { id: 'sha256:web:1', runsMs: null, exitCode: 0, healthyAfterMs: null })
  node.setImage('web:2', { id: 'sha256:web:2', runsMs: null, exitCode: 0, healthyAfterMs: 300 })
  node.setImage('db:1', { id: 'sha256:db:1', runsMs: null, exitCode: 0, healthyAfterMs: 500 })
  node.setImage('job:1', { id: 'sha256:job:1', runsMs: 200, exitCode: 0, healthyAfterMs: null })
  node.setImage('bad:1', { id: 'sha256:bad:1', runsMs: 100, exitCode: 3, healthyAfterMs: null })
  const notes = { draining: new Map<string, number>(), startAgain: new Set<string>() }
  let crashes: ReadonlyMap<string, Crash> = new Map()
  let stacks: readonly StackRecord[] = []
  const snapshot = async (): Promise<Snapshot> => {
    const tasks = await node.listTasks()
    crashes = countCrashes(crashes, tasks, nowMs)
    return {
      nowMs,
      stacks,
      tasks,
      networks: await node.listNetworks(),
      volumes: await node.listVolumes(),
      connections: new Map(),
      memory: {
        crashes,
        draining: new Map(notes.draining),
        startAgain: notes.startAgain,
        stepFailures: new Map(),
        routeFailures: new Map(),
      },
      busy: new Map(),
    }
  }
  const forgetStack = (name: string) => void (stacks = stacks.filter((item) => item.spec.name !== name))
  const self = {
    node,
    want: (...wanted: readonly StackRecord[]) => void (stacks = wanted),
    stacks: () => stacks,
    pass: (ms: number) => node.tick((nowMs += ms)),
    plan: async () => planReconcile(await snapshot()),
    perform: async (step: Step) => await performStep(step, { node, notes, nowMs: () => nowMs, forgetStack }),
    running: async (name: string) =>
      (await node.listTasks()).filter((task) => task.labels[LABELS.service] === name && task.state === 'running').length,
    /** Plans and carries out until nothing is left to do; gives back every plan. Fails after too many rounds. */
    settle: async (maxRounds = 200): Promise<readonly Plan[]> => {
      const plans: Plan[] = []
      for (let round = 0; round < maxRounds; round += 1) {
        const plan = await self.plan()
        plans.push(plan)
        if (plan.steps.length === 0 && plan.waits.every((wait) => wait.isHopeless && wait.untilMs === null)) return plans
        for (const step of plan.steps.slice(0, 1)) await self.perform(step)
        self.pass(plan.steps.length > 0 ? 1 : 100)
      }
      throw new Error(
        `not settled after ${maxRounds} rounds: ${JSON.stringify(plans.at(-1)?.waits)} ${JSON.stringify(plans.at(-1)?.steps)}`,
      )
    },
  }
  return self
}

describe('the plan of a stack', () => {
  it('makes networks and volumes, then tasks in the order of their dependencies', async () => {
    const it = world()
    it.want(
      record([
        service('web', {
          replicas: 2,
          dependsOn: [
            { service: 'db', condition: 'healthy' },
            { service: 'job', condition: 'completed_successfully' },
          ],
        }),
        service('job', {
          image: 'job:1',
          restart: { ...ALWAYS, condition: 'on-failure' },
          dependsOn: [{ service: 'db', condition: 'healthy' }],
        }),
        service('db', { image: 'db:1', hasVolume: true }),
      ]),
    )
    const [first] = await it.settle()
    assert.match(JSON.stringify(first?.waits), /waits for the network shop_default/)
    assert.deepEqual(
      it.node.calls.filter((call) => call.startsWith('start')),
      ['start shop-db-1', 'start shop-job-1', 'start shop-web-1', 'start shop-web-2'],
    )
  })

  it('says that a dependency cannot become healthy without a health check', async () => {
    const it = world()
    it.want(record([service('web', { dependsOn: [{ service: 'db', condition: 'healthy' }] }), service('db')]))
    await assert.rejects(it.settle(20), /has no health check/)
  })

  it('replaces tasks of a changed service one by one, never with fewer ready than before', async () => {
    const it = world()
    it.want(record([service('web', { replicas: 3, hasPort: true })]))
    await it.settle()
    it.want(record([service('web', { replicas: 3, hasPort: true, image: 'web:2' })]))
    const plans = await it.settle()
    for (const plan of plans)
      assert.ok((plan.routes[0]?.backends.filter((backend) => backend.state === 'ready').length ?? 0) >= 3)
    assert.equal(await it.running('web'), 3)
  })

  it('stops the only writer of a volume before its successor starts', async () => {
    const it = world()
    it.want(record([service('db', { hasVolume: true })]))
    await it.settle()
    it.want(record([service('db', { hasVolume: true, image: 'web:2' })]))
    it.node.calls.length = 0
    await it.settle()
    assert.deepEqual(it.node.calls, ['stop shop-db-1', 'remove shop-db-1', 'create shop-db-1', 'start shop-db-1'])
  })

  it('keeps the old tasks while the new ones fail, and says why', async () => {
    const it = world()
    it.want(record([service('web', { replicas: 2 })]))
    await it.settle()
    it.want(record([service('web', { replicas: 2, image: 'bad:1' })]))
    await assert.rejects(it.settle(100), /ended with exit code 3 \(\d+ times in a row\)/)
    assert.ok((await it.running('web')) >= 2)
  })

  it('starts an unhealthy task again, and brings back one that was removed', async () => {
    const it = world()
    it.want(record([service('web', { replicas: 2 })]))
    await it.settle()
    it.node.setHealth('shop-web-1', 'unhealthy')
    await it.settle()
    assert.ok(it.node.calls.includes('stop shop-web-1'))
    const task = (await it.node.listTasks()).find((candidate) => candidate.name === 'shop-web-2')
    await it.node.removeTask(task?.id ?? '')
    await it.settle()
    assert.equal(await it.running('web'), 2)
  })

  it('leaves alone what is not to be restarted, and says so', async () => {
    const it = world()
    it.want(record([service('once', { image: 'bad:1', restart: { ...ALWAYS, condition: 'never' } })]))
    await it.settle()
    it.pass(200)
    const plans = await it.settle()
    assert.equal(plans.at(-1)?.waits[0]?.reason, 'shop-once-1 ended with exit code 3, and is not to be restarted')
    it.want(record([service('once', { image: 'bad:1', restart: { ...ALWAYS, condition: 'on-failure', maxAttempts: 2 } })]))
    let more = await it.settle()
    for (let time = 0; time < 4; time += 1) {
      it.pass(1000)
      more = await it.settle()
    }
    assert.match(more.at(-1)?.waits[0]?.reason ?? '', /restarted 2 times in vain/)
  })

  it('removes a stack with its dependents first, and its volumes only when told', async () => {
    for (const removeVolumes of [false, true]) {
      const it = world()
      const services = [
        service('web', { dependsOn: [{ service: 'db', condition: 'started' }] }),
        service('db', { hasVolume: true }),
      ]
      it.want(record(services))
      await it.settle()
      it.want(record(services, { state: 'removing', removeVolumes }))
      it.node.calls.length = 0
      await it.settle()
      const volume = removeVolumes ? ['remove-volume shop_data'] : []
      assert.deepEqual(it.node.calls, [
        'stop shop-web-1',
        'remove shop-web-1',
        'stop shop-db-1',
        'remove shop-db-1',
        'remove-network shop_default',
        ...volume,
      ])
      assert.deepEqual(it.stacks(), [])
    }
  })

  it('takes the last of a service that nobody wants any more', async () => {
    const it = world()
    it.want(record([service('web'), service('old')]))
    await it.settle()
    it.want(record([service('web', { replicas: 0 })]))
    await it.settle()
    assert.deepEqual(await it.node.listTasks(), [])
  })
})

const anyRecord = fc
  .record({
    web: fc.record({
      replicas: fc.nat(4),
      image: fc.constantFrom('web:1', 'web:2'),
      hasPort: fc.boolean(),
      hasVolume: fc.boolean(),
    }),
    db: fc.option(fc.record({ replicas: fc.nat(2), image: fc.constant('db:1'), hasVolume: fc.boolean() })),
    job: fc.option(fc.constant({ image: 'job:1' })),
  })
  .map(({ web, db, job }) => {
    const dependsOn: ServiceSpec['dependsOn'][number][] = []
    if (db !== null) dependsOn.push({ service: 'db', condition: 'healthy' })
    if (job !== null) dependsOn.push({ service: 'job', condition: 'completed_successfully' })
    return record([
      service('web', { ...web, dependsOn }),
      ...(db === null ? [] : [service('db', db)]),
      ...(job === null ? [] : [service('job', { ...job, restart: { ...ALWAYS, condition: 'on-failure' } })]),
    ])
  })

/** What may happen before: other specs were wanted and only partly reached, tasks crashed, got unhealthy, went away. */
const anyHistory = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('want' as const), wanted: anyRecord, steps: fc.nat(12) }),
    fc.record({
      kind: fc.constantFrom('crash' as const, 'unhealthy' as const, 'vanish' as const),
      pick: fc.nat(20),
      passMs: fc.nat(2000),
    }),
  ),
  { maxLength: 6 },
)

async function live(
  it: ReturnType<typeof world>,
  history: ReadonlyArray<typeof anyHistory extends fc.Arbitrary<readonly (infer E)[]> ? E : never>,
) {
  for (const event of history) {
    if (event.kind === 'want') {
      it.want(event.wanted)
      for (let count = 0; count < event.steps; count += 1) {
        for (const step of (await it.plan()).steps.slice(0, 2)) await it.perform(step)
        it.pass(60)
      }
      continue
    }
    const tasks = (await it.node.listTasks()).filter((task) => task.state === 'running')
    const task = tasks[event.pick % Math.max(1, tasks.length)]
    if (task !== undefined && event.kind === 'crash') it.node.crash(task.name, 137)
    if (task !== undefined && event.kind === 'unhealthy') it.node.setHealth(task.name, 'unhealthy')
    if (task !== undefined && event.kind === 'vanish') await it.node.removeTask(task.id)
    it.pass(event.passMs)
  }
}

describe('every plan', () => {
  it('liveness: leads from anything to what is wanted in a bounded number of rounds, and then plans nothing', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory, anyRecord, fc.integer(), async (history, wanted, seed) => {
        const it = world(seed)
        await live(it, history)
        it.want(wanted)
        await it.settle(400)
        for (const spec of wanted.spec.services) {
          const isJob = spec.task.image === 'job:1'
          const blocked = wanted.spec.services.some(
            (other) => spec.dependsOn.some((item) => item.service === other.name) && other.replicas === 0,
          )
          if (!isJob && !blocked) assert.equal(await it.running(spec.name), spec.replicas, spec.name)
        }
        assert.deepEqual((await it.plan()).steps, [])
      }),
      { numRuns: 60 },
    )
  })

  it('safety: no new task beyond the replicas and one in a rollout, and no volume is removed', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory, anyRecord, fc.integer(), async (history, wanted, seed) => {
        const it = world(seed)
        await live(it, history)
        it.want(wanted)
        for (let round = 0; round < 60; round += 1) {
          const { steps } = await it.plan()
          for (const step of steps) {
            assert.notEqual(step.type, 'remove-volume')
            await it.perform(step)
          }
          for (const { service: name } of steps.filter((step) => step.type === 'create-task')) {
            const spec = wanted.spec.services.find((item) => item.name === name)
            const isExclusive = spec?.replicas === 1 && spec.task.mounts.length > 0
            assert.ok(
              (await it.running(name ?? '')) <= (spec?.replicas ?? 0) + (isExclusive ? 0 : 1),
              `${name} has too many tasks`,
            )
          }
          it.pass(70)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('safety: never touches a container that is not of a known stack', async () => {
    const it = world()
    const foreign = { name: 'shop-web-1', labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' } }
    const spec = record([service('web')])
    const { mounts: _m, networks: _n, ...template } = service('web').task
    const id = await it.node.createTask({
      ...template,
      ...foreign,
      imageId: 'sha256:web:1',
      mounts: [],
      networks: [],
      hostPorts: [],
    })
    it.want(spec)
    const plan = await it.plan()
    assert.ok(plan.steps.every((step) => !('id' in step) || step.id !== id))
    it.want()
    assert.deepEqual((await it.plan()).steps, [])
  })
})
