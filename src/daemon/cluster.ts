import type { Clock, Log } from '#base'
import { openStacks, type Stacks } from '#cluster/stacks'
import { nodeProcesses, openRouter, type Router } from '#traffic/router'

import type { DaemonOptions } from './arguments.ts'
import type { Engine } from './engine.ts'
import { engineNode } from './node/node-port.ts'
import { findProgram } from './programs.ts'

export interface ClusterNeeds extends DaemonOptions {
  readonly clock: Clock
  readonly log: Log
  readonly engine: Engine
}

/** The proxy reads packets from anywhere: it gives up root once it listens. */
const NOBODY = { uid: 65_534, gid: 65_534 }

/** What turns wishes into containers and routes on this machine. */
export interface Cluster extends AsyncDisposable {
  readonly stacks: Stacks
  readonly router: Router
}

export async function openCluster({ engine, clock, log, runDir }: ClusterNeeds): Promise<Cluster> {
  const router = openRouter({
    runDir,
    processes: nodeProcesses(),
    clock,
    log,
    runAs: NOBODY,
    command: findProgram('haproxy') ?? 'haproxy',
  })
  await router.recover()
  const stacks = openStacks({ store: engine.store, node: engineNode(engine), routes: router, clock, log })
  stacks.recover()
  return { stacks, router, [Symbol.asyncDispose]: async () => await stacks[Symbol.asyncDispose]() }
}
