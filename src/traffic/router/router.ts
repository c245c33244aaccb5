import { backoffMs, keyedLocks, messageOf, type BackoffPolicy, type Clock, type Log } from '#base'

import { checkRoute } from './check-route.ts'
import { listenAddress, listenAddresses, proxyConfig, sectionName, type ConfigOptions } from './config.ts'
import { hostHasIpv6, probeListen } from './listen-probe.ts'
import type { ProcessPort, Route, RouteFailure, Router } from './port.ts'
import { openProxy, proxyFiles } from './proxy.ts'
import { hasSurplus, runtimeCommands } from './runtime-plan.ts'

export interface RouterOptions {
  /** Its files are in `router` below. */
  readonly runDir: string
  readonly processes: ProcessPort
  readonly clock: Clock
  readonly log: Log
  /** Whom the proxy's worker becomes; null: it stays who started it. */
  readonly runAs: ConfigOptions['runAs']
  /** `haproxy`, or its path. */
  readonly command: string
}

/** How soon a proxy that died is noticed. */
const WATCH_MS = 500
const REVIVE_BACKOFF: BackoffPolicy = { firstMs: WATCH_MS, maxMs: 30_000 }

export function openRouter(options: RouterOptions): Router {
  const { runDir, processes, clock, log, runAs, command } = options
  const files = proxyFiles(runDir)
  const proxy = openProxy(files, processes, clock, command)
  const locks = keyedLocks()
  const hasIpv6 = hostHasIpv6()
  let wanted: readonly Route[] = []
  /** What the proxy was last told, and whether servers are left in it that nobody wants. */
  let served: readonly Route[] = []
  let isTidy = true
  let deaths = 0
  let watch: Disposable | undefined
  let isClosed = false

  async function apply(routes: readonly Route[]): Promise<readonly RouteFailure[]> {
    wanted = routes
    if (routes.length === 0) {
      watch?.[Symbol.dispose]()
      await proxy.stop()
      return []
    }
    keepWatch(WATCH_MS)
    try {
      return await serve(routes)
    } catch (error) {
      if (proxy.pid() === undefined) return await serve(routes).catch((again: unknown) => failAll(routes, again))
      return failAll(routes, error)
    }
  }

  /** Serves those that can be listened for. Throws when the proxy does not do its part, or died meanwhile. */
  async function serve(routes: readonly Route[]): Promise<readonly RouteFailure[]> {
    const { accepted, failures } = await sift(routes)
    if (accepted.length > 0 || proxy.pid() !== undefined) await bring(accepted)
    return failures
  }

  /** Those that can be listened for. A failed bind would make HAProxy refuse the whole configuration. */
  async function sift(routes: readonly Route[]) {
    const sections = await runningSections()
    const accepted: Route[] = []
    const failures: RouteFailure[] = []
    for (const route of routes) {
      try {
        checkRoute(route, accepted)
        if (!sections.has(bindingOf(sectionName(route))))
          for (const address of listenAddresses(route.hostIp, hasIpv6)) await probeListen(address, route.hostPort)
        accepted.push(route)
      } catch (error) {
        failures.push({ id: route.id, reason: messageOf(error) })
      }
    }
    return { accepted, failures }
  }

  /** What the proxy listens for, from the proxy itself: an earlier daemon may have told it. */
  async function runningSections(): Promise<ReadonlySet<string>> {
    if (proxy.pid() === undefined) return new Set()
    return new Set((await proxy.sections()).map(bindingOf))
  }

  async function bring(routes: readonly Route[]): Promise<void> {
    const config = proxyConfig(routes, { socketPath: files.socket, runAs, hasIpv6 })
    if ((await proxy.fingerprint()) === config.fingerprint && proxy.pid() !== undefined) await proxy.save(config)
    else await proxy.load(config)
    await settle(routes)
  }

  /** HAProxy answers in prose; what counts is what it has then. */
  async function settle(routes: readonly Route[]): Promise<void> {
    served = routes
    const before = await proxy.servers()
    const commands = runtimeCommands(routes, before)
    isTidy = !hasSurplus(routes, before)
    if (commands.length === 0) return
    const said = await proxy.run(commands)
    log.debug('changed the servers of HAProxy', { commands: commands.length, said })
    const after = await proxy.servers()
    isTidy = !hasSurplus(routes, after)
    const wanted = after.filter((server) =>
      routes.some((route) => sectionName(route) === server.section && route.backends.some((backend) => backend.id === server.id)),
    )
    const left = runtimeCommands(routes, wanted)
    if (left.length === 0) return
    log.warn('HAProxy did not do as told: it gets a new configuration', { left: left.join('; ') })
    await proxy.load(proxyConfig(routes, { socketPath: files.socket, runAs, hasIpv6 }))
  }

  function keepWatch(ms: number): void {
    watch?.[Symbol.dispose]()
    if (isClosed) return
    watch = clock.after(ms, () => {
      locks.run('router', look).catch((error: unknown) => {
        log.error('cannot bring HAProxy back', { error: messageOf(error) })
        keepWatch(REVIVE_BACKOFF.maxMs)
      })
    })
  }

  async function look(): Promise<void> {
    if (wanted.length === 0 || isClosed) return
    if (proxy.pid() !== undefined) {
      deaths = 0
      proxy.trimLog()
      if (!isTidy) await settle(served)
      return keepWatch(WATCH_MS)
    }
    deaths += 1
    log.warn('HAProxy is gone: it is started again', { times: deaths })
    for (const failure of await apply(wanted)) log.warn('a route is not served', { ...failure })
    keepWatch(backoffMs(REVIVE_BACKOFF, deaths))
  }

  return {
    apply: async (routes) => await locks.run('router', async () => await apply(routes)),
    connections: async () => {
      if (proxy.pid() === undefined) return new Map()
      const sums = new Map<string, number>()
      for (const { id, connections } of await proxy.servers()) sums.set(id, (sums.get(id) ?? 0) + connections)
      return sums
    },
    freePort: async (hostIp) => await probeListen(listenAddress(hostIp), 0),
    status: async () => {
      const pid = proxy.pid() ?? null
      try {
        return { isRunning: pid !== null, pid, servers: pid === null ? [] : await proxy.servers() }
      } catch (error) {
        if (proxy.pid() !== undefined) throw error
        return { isRunning: false, pid: null, servers: [] }
      }
    },
    recover: async () => proxy.pid() !== undefined,
    stop: async () => void (await locks.run('router', async () => await apply([]))),
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      watch?.[Symbol.dispose]()
      await locks.run('router', async () => undefined)
    },
  }
}

function failAll(routes: readonly Route[], error: unknown): readonly RouteFailure[] {
  return routes.map((route) => ({ id: route.id, reason: messageOf(error) }))
}

/** `tcp-0.0.0.0-80` and `http-0.0.0.0-80` are the same place. */
function bindingOf(section: string): string {
  return section.slice(section.indexOf('-') + 1)
}
