import { hostname } from 'node:os'
import { join } from 'node:path'

import type { DashboardPort, GloveboxApi, GloveboxApiPorts } from '#api/glovebox'
import type { HttpApi } from '#api/http'
import { systemRandom, type Clock, type Log } from '#base'
import type { Dashboard } from '#dashboard/server'
import type { Host } from '#host'

import type { Actors } from '../actors.ts'
import type { DaemonOptions } from '../arguments.ts'
import type { Cluster } from '../cluster.ts'
import { DEFAULT_DASHBOARD } from '../dashboard-arguments.ts'
import type { Engine } from '../engine.ts'
import { PROGRAM_VERSION } from '../program-version.ts'
import { liveSource } from './live-source.ts'
import { terminalPort } from './terminals.ts'

export interface DashboardWiring extends Pick<DaemonOptions, 'root' | 'instance' | 'dashboard'> {
  readonly host: Host
  readonly engine: Engine
  readonly cluster: Cluster
  readonly actors: Pick<Actors, 'vouch'>
  readonly clock: Clock
  readonly log: Log
}

export interface OpenedDashboard extends AsyncDisposable {
  /** For our own API: users, and links for the local administrator. */
  readonly port: DashboardPort
  /** Listens, where the daemon was told to. Errors: those of the listener. */
  start(apis: Apis): Promise<void>
}

interface Apis extends Pick<GloveboxApiPorts, 'operations'> {
  readonly docker: HttpApi
  readonly ours: GloveboxApi
}

/** Nothing of the dashboard is loaded before it listens or somebody asks for its users. */
export function openDashboard(wiring: DashboardWiring): OpenedDashboard {
  const { root, instance, host, engine, cluster, clock, log } = wiring
  const { promise: apis, resolve } = Promise.withResolvers<Apis>()
  let opening: Promise<Dashboard> | undefined
  const create = async (): Promise<Dashboard> => {
    const { createDashboard, PASSWORD_COST } = await import('#dashboard/server')
    return createDashboard({
      instance,
      hostname: hostname(),
      version: PROGRAM_VERSION,
      pageDirectory: pageDirectory(),
      records: engine.store,
      passwordCost: PASSWORD_COST,
      ...(await apis),
      vouch: (request, user) => wiring.actors.vouch(request, user),
      live: liveSource({ root, host, engine, cluster, clock, log }),
      terminals: terminalPort(engine.containers),
      clock,
      random: systemRandom(),
      log,
    })
  }
  const dashboard = async () => await (opening ??= create())
  return {
    port: {
      status: async () => ({ address: (await dashboard()).address() ?? null }),
      users: async () => (await dashboard()).accounts.list(),
      putUser: async (name, change, by) => void (await (await dashboard()).accounts.put(name, change, by)),
      removeUser: async (name, by) => (await dashboard()).accounts.remove(name, by),
      open: async () => {
        const opened = await dashboard()
        return opened.makeLink(await opened.listen(wiring.dashboard ?? DEFAULT_DASHBOARD))
      },
    },
    start: async (known) => {
      resolve(known)
      if (wiring.dashboard !== undefined) await (await dashboard()).listen(wiring.dashboard)
    },
    [Symbol.asyncDispose]: async () => await (await opening)?.close(),
  }
}

/** Beside the bundle, or below the root of the sources when they run as they are. */
function pageDirectory(): string {
  const here = import.meta.dirname
  return here.endsWith('/src/daemon/dashboard') ? join(here, '../../../build/dashboard') : join(here, 'dashboard')
}
