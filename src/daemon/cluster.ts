import { join } from 'node:path'

import { systemRandom, type Clock, type Log } from '#base'
import { TASK_LABELS } from '#cluster/agent'
import type { Environments } from '#cluster/environments'
import { ITSELF } from '#cluster/model'
import { startRotation } from '#cluster/rotation'
import type { Secrets } from '#cluster/secrets'
import type { Mirror, Services } from '#cluster/services'
import type { Stacks } from '#cluster/stacks'
import type { ClusterStore } from '#cluster/store'
import type { Host } from '#host'
import type { Discovery } from '#traffic/discovery'
import type { Policy } from '#traffic/policy'
import { openCertificates, type Certificates } from '#traffic/certificates'
import { nodeProcesses, openRouter, type Router } from '#traffic/router'

import type { DaemonOptions } from './arguments.ts'
import { openDiscovery, withdrawingNode } from './discovery.ts'
import type { Engine } from './engine.ts'
import { imagePulls, type ImagePulls } from './image-pulls.ts'
import { environmentsOf } from './environments.ts'
import { checkPort } from './node/check-port.ts'
import { engineNode } from './node/node-port.ts'
import { openOrchestration, type Orchestration } from './orchestration/open-orchestration.ts'
import { openPolicy } from './policy.ts'
import { swarmOf } from './swarm-record.ts'
import { findProgram } from './programs.ts'

export interface ClusterNeeds extends DaemonOptions {
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly engine: Engine
  readonly secrets: Secrets
  readonly store: ClusterStore
  /** Told of each round of placing, in milliseconds. */
  readonly onPlaced?: (ms: number) => void
}

/** The proxy reads packets from anywhere: it gives up root once it listens. */
const NOBODY = { uid: 65_534, gid: 65_534 }

/** The proxy answers within a few; longer than this nobody waits for it at the end of a container. */
const WITHDRAW_MS = 250

/** What turns wishes into containers and routes on this machine. */
export interface Cluster extends AsyncDisposable {
  readonly stacks: Stacks
  /** Copies of stacks, as long as each is to stay. */
  readonly environments: Environments
  /** Services of the cluster, and the nodes: what `stacks` does not know of stands alone. */
  readonly services: Services
  readonly nodeId: string
  /** Everything that services, nodes, tasks and runs are now. */
  readonly mirror: Mirror
  readonly scheduling: Orchestration['scheduling']
  /** Called after each look at the services. */
  readonly listen: Orchestration['listen']
  readonly router: Router
  readonly discovery: Discovery
  readonly policy: Policy
  readonly certificates: Pick<Certificates, 'expiries'>
  readonly pulls: ImagePulls
  /** Nothing is started, replaced or routed any more. What runs and is routed stays. */
  halt(): Promise<void>
}

export async function openCluster({
  engine,
  host,
  clock,
  log,
  runDir,
  root,
  secrets,
  store,
  onPlaced = () => undefined,
  rebalanceEveryMs,
}: ClusterNeeds): Promise<Cluster> {
  const certificates = await openCertificates({ directory: join(root, 'certificates'), clock, random: systemRandom(), log })
  const router = openRouter({
    runDir,
    processes: nodeProcesses(),
    clock,
    random: systemRandom(),
    log,
    store: engine.store,
    certificates,
    accessLogPath: join(root, 'access.log'),
    runAs: NOBODY,
    command: findProgram('haproxy') ?? 'haproxy',
  })
  await router.recover()
  engine.containers.beforeLeaving(async ({ id, spec }) => {
    const task = spec.labels[TASK_LABELS.task]
    if (task === undefined) return
    const withdrawn = async () => {
      const [held] = await Promise.all([discovery?.withdraw(id), router.withdraw(task)])
      held?.[Symbol.dispose]()
    }
    await Promise.race([withdrawn(), clock.sleep(WITHDRAW_MS)])
  })
  let discovery: Discovery | undefined
  const pulls = imagePulls(engine.registries, clock, log)
  const pull = pulls.need
  const node = withdrawingNode(engineNode(engine, { clock, log, secrets, pull }), () => discovery)
  const orchestration = await openOrchestration({
    store,
    records: engine.store,
    node,
    checks: checkPort(engine.containers, clock),
    router,
    pulls,
    keptTasksPerSlot: () => swarmOf(engine.store)?.keptTasksPerSlot,
    secrets,
    machine: host.kernel.facts(),
    rebalanceEveryMs,
    onPlaced,
    clock,
    random: systemRandom(),
    log,
  })
  const { mirror, nodeId, stacks } = orchestration
  const inside = { ...engine, stacks, mirror, nodeId, host, clock, log }
  discovery = openDiscovery(inside)
  const policy = openPolicy(inside)
  orchestration.begin()
  const rotation = startRotation({ store, mirror, services: orchestration.services.as(ITSELF), secrets, clock, log })
  const environments = environmentsOf({ engine, stacks, secrets, store, router, clock, log })
  const names = discovery
  let halting: Promise<void> | undefined
  const haltAll = async () => {
    await environments[Symbol.asyncDispose]()
    await rotation[Symbol.asyncDispose]()
    await orchestration[Symbol.asyncDispose]()
  }
  const halt = async () => await (halting ??= haltAll())
  return {
    stacks,
    environments,
    services: orchestration.services,
    nodeId,
    mirror,
    scheduling: orchestration.scheduling,
    listen: orchestration.listen,
    router,
    discovery,
    policy,
    certificates,
    pulls,
    halt,
    [Symbol.asyncDispose]: async () => {
      await halt()
      certificates[Symbol.dispose]()
      await router[Symbol.asyncDispose]()
      await names[Symbol.asyncDispose]()
      await policy[Symbol.asyncDispose]()
    },
  }
}
