import {
  backoffMs,
  GloveboxError,
  keyedLocks,
  messageOf,
  type BackoffPolicy,
  type Clock,
  type Log,
  type Random,
  type RecordStore,
} from '#base'
import type { Certificates } from '#traffic/certificates'

import { addressBook, nodeLookUp, type LookUp } from './addresses.ts'
import { certificateFiles, NO_CERTIFICATES, type CertificateFiles } from './certificate-plan.ts'
import { proxyConfig, type ConfigOptions, type ProxyConfig } from './config.ts'
import { cookieKey } from './cookie-key.ts'
import { ruleOf } from './entries.ts'
import { routeError } from './errors.ts'
import { CHALLENGE_MAP, CHALLENGE_PATH } from './frontend-section.ts'
import { hostHasIpv6, probeListen } from './listen-probe.ts'
import { openMetrics } from './metrics.ts'
import { bindingOf, listenAddress, sectionName } from './names.ts'
import type { ProcessPort, ProxyServer, Route, RouteFailure, Router, RouteStatus } from './port.ts'
import { openProxy, proxyFiles, type OldWorker, type ProxyLook } from './proxy.ts'
import { routeStatus } from './route-status.ts'
import { hasSurplus, isStale, runtimeCommands } from './runtime-plan.ts'
import { checkShift, shiftRoute, type Shift } from './shares.ts'
import { siftRoutes } from './sift.ts'
import { proxyInput, toldProxy } from './told.ts'
import { withdrawals } from './withdrawals.ts'

export interface RouterOptions {
  /** Its files are in `router` below. */
  readonly runDir: string
  readonly processes: ProcessPort
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Keeps what was shifted by hand. */
  readonly store: RecordStore
  /** For routes with TLS; absent: these are refused. */
  readonly certificates?: Certificates
  /** Where requests of routes with an access log are written, and in older parts beside it. Its directory is there. */
  readonly accessLogPath: string
  /** Whom the proxy's worker becomes; null: it stays who started it. */
  readonly runAs: ConfigOptions['runAs']
  /** `haproxy`, or its path. */
  readonly command: string
  /** Absent: as the host does. */
  readonly lookUp?: LookUp
}

/** How soon a proxy that died is noticed. */
const WATCH_MS = 500
const REVIVE_BACKOFF: BackoffPolicy = { firstMs: WATCH_MS, maxMs: 30_000 }
/** Routes that are shifted by hand at the same time: one writes them. */
const MAX_SHIFTS = 1000

export function openRouter(options: RouterOptions): Router {
  const { runDir, processes, clock, log, runAs, command, certificates } = options
  const files = proxyFiles(runDir)
  const proxy = openProxy(files, processes, clock, command)
  const told = toldProxy(proxy)
  const metrics = openMetrics({ proxy, clock, log, accessLogPath: options.accessLogPath, socketPath: files.socket })
  const addresses = addressBook(options.lookUp ?? nodeLookUp(), clock)
  const shifts = options.store.table<Shift>('route_shifts')
  const locks = keyedLocks()
  const hasIpv6 = hostHasIpv6()
  const challenges = new Map<string, string>()
  const ended = withdrawals(clock)
  let wanted: readonly Route[] = []
  /** What the proxy was last told, and whether servers are left in it that nobody wants. */
  let served: readonly Route[] = []
  let problems: ReadonlyMap<string, string> = new Map()
  let isTidy = true
  /** False: no worker of an earlier configuration is there. */
  let hasOldWorkers = true
  let deaths = 0
  let watch: Disposable | undefined
  let isClosed = false

  async function apply(routes: readonly Route[]): Promise<readonly RouteFailure[]> {
    wanted = routes
    if (routes.length === 0) {
      watch?.[Symbol.dispose]()
      metrics.pause()
      served = []
      problems = new Map()
      await proxy.stop()
      told.forget()
      return []
    }
    keepWatch(WATCH_MS)
    const failures = await attempt(routes)
    problems = new Map([...problems, ...failures.map((failure) => [failure.id, failure.reason] as const)])
    metrics.follow(served)
    return failures
  }

  async function attempt(routes: readonly Route[]): Promise<readonly RouteFailure[]> {
    try {
      return await serve(routes)
    } catch (error) {
      told.forget()
      if (proxy.pid() === undefined) return await serve(routes).catch((again: unknown) => failAll(routes, again))
      // No route is to blame: it is said again, and until then nobody is to believe that it was told.
      if (isSilent(error)) throw error
      return failAll(routes, error)
    }
  }

  /** Serves those that can be listened for. Throws when the proxy does not do its part, or died meanwhile. */
  async function serve(routes: readonly Route[]): Promise<readonly RouteFailure[]> {
    const resolved = await addresses.resolve(ended.without(routes).map((route) => shiftRoute(route, shifts.get(route.id))))
    // From the proxy itself: an earlier daemon may have told it.
    const seen = proxy.pid() === undefined ? undefined : await proxy.look()
    const running = new Set((seen?.sections ?? []).map(bindingOf))
    const { accepted, failures } = await siftRoutes(resolved.routes, running, hasIpv6)
    problems = resolved.problems
    if (accepted.length > 0 || seen !== undefined) await bring(accepted, seen)
    return failures
  }

  async function bring(routes: readonly Route[], seen: ProxyLook | undefined): Promise<void> {
    const config = proxyConfig(routes, {
      socketPath: files.socket,
      runAs,
      hasIpv6,
      cookieKey: cookieKey(files.cookieKey, options.random),
    })
    const maps = new Map(
      [...config.maps].map(([path, entries]) => [path, path === CHALLENGE_MAP ? new Map(challenges) : entries]),
    )
    const pems = await certificatesFor(config, routes)
    const input = proxyInput(config, maps, pems)
    const load = async () => {
      // Who is not there cannot tell what it counted.
      await metrics.poll().catch(() => undefined)
      await proxy.load(input)
      hasOldWorkers = true
      told.loaded(maps, pems)
      metrics.follow(routes)
      await metrics.poll().catch(() => undefined)
    }
    if (seen?.fingerprint !== config.fingerprint || !(await told.bring(config, maps, pems))) {
      await load()
      return await settle(routes, load)
    }
    await settle(routes, load, seen.servers)
    await proxy.save(input)
  }

  async function certificatesFor(config: ProxyConfig, routes: readonly Route[]): Promise<CertificateFiles> {
    if (config.certificateLists.size === 0) return NO_CERTIFICATES
    if (certificates === undefined) throw routeError('route.invalid', 'there is nobody here who has certificates')
    const wishes = routes.flatMap((route) => {
      const { tls, hosts } = ruleOf(route)
      return tls === null ? [] : [{ routeId: route.id, hosts, tls }]
    })
    const state = await certificates.current(wishes)
    problems = new Map([...problems, ...state.problems])
    return certificateFiles(config.certificateLists, state)
  }

  async function settle(routes: readonly Route[], load: () => Promise<void>, seen?: readonly ProxyServer[]): Promise<void> {
    await settleNew(routes, load, seen)
    await endStaleWorkers(routes)
  }

  async function oldWorkers(): Promise<readonly OldWorker[]> {
    if (!hasOldWorkers) return []
    const found = await proxy.oldWorkers()
    hasOldWorkers = found.length > 0
    return found
  }

  /**
   * A client that keeps its connection over a reload is served once more by the worker that it came to. That one cannot be told of servers any more: when it knows
   * nobody who is still there, and nothing is under way in it, it ends, and its clients come back to the new one.
   */
  async function endStaleWorkers(routes: readonly Route[]): Promise<void> {
    try {
      for (const worker of await oldWorkers()) if (isStale(routes, await worker.servers())) worker.end()
    } catch (error) {
      // Most likely it had no connection any more and is gone.
      log.debug('an old worker of HAProxy was not looked at', { error: messageOf(error) })
    }
  }

  /** HAProxy answers in prose; what counts is what it has then. */
  async function settleNew(routes: readonly Route[], load: () => Promise<void>, seen?: readonly ProxyServer[]): Promise<void> {
    served = routes
    const before = seen ?? (await proxy.servers())
    const endsBefore = ended.count()
    const present = ended.without(routes)
    const commands = runtimeCommands(present, before)
    isTidy = !hasSurplus(present, before)
    if (commands.length === 0) return
    const { said, servers: after } = await proxy.change(commands)
    log.debug('changed the servers of HAProxy', { commands: commands.length, said })
    // One that was withdrawn meanwhile may have been made ready again.
    if (ended.count() !== endsBefore) return await settleNew(routes, load)
    isTidy = !hasSurplus(present, after)
    const sections = new Set(present.flatMap((route) => route.backends.map((backend) => `${sectionName(route)}/${backend.id}`)))
    const left = runtimeCommands(
      present,
      after.filter((server) => sections.has(`${server.section}/${server.id}`)),
    )
    if (left.length === 0) return
    log.warn('HAProxy did not do as told: it gets a new configuration', { left: left.join('; ') })
    await load()
  }

  function keepWatch(ms: number): void {
    watch?.[Symbol.dispose]()
    if (isClosed) return
    watch = clock.after(ms, () => {
      locks.run('router', look).catch((error: unknown) => {
        const isBusy = isSilent(error)
        if (isBusy) log.warn('HAProxy does not answer in time', { error: messageOf(error) })
        else log.error('cannot bring HAProxy back', { error: messageOf(error) })
        keepWatch(isBusy ? WATCH_MS : REVIVE_BACKOFF.maxMs)
      })
    })
  }

  async function look(): Promise<void> {
    if (wanted.length === 0 || isClosed) return
    if (proxy.pid() !== undefined) {
      deaths = 0
      proxy.trimLog()
      if (await addresses.refresh()) await apply(wanted)
      else if (!isTidy) await settle(served, async () => void (await apply(wanted)))
      else await endStaleWorkers(served)
      return keepWatch(WATCH_MS)
    }
    deaths += 1
    log.warn('HAProxy is gone: it is started again', { times: deaths })
    for (const failure of await apply(wanted)) log.warn('a route is not served', { ...failure })
    keepWatch(backoffMs(REVIVE_BACKOFF, deaths))
  }

  /** At once, whatever else is being told: what is told afterwards leaves it out as well. */
  async function withdraw(id: string): Promise<void> {
    ended.add(id)
    const names = served.flatMap((route) =>
      route.backends.filter((backend) => ended.has(backend.id)).map((backend) => `${sectionName(route)}/${backend.id}`),
    )
    if (names.length === 0 || proxy.pid() === undefined) return
    try {
      await proxy.run(names.map((name) => `set server ${name} state maint`))
    } catch (error) {
      log.debug('a server of HAProxy was not withdrawn', { backend: id, error: messageOf(error) })
    }
  }

  async function again(): Promise<void> {
    await locks.run('router', async () => {
      if (isClosed || wanted.length === 0) return
      for (const failure of await apply(wanted)) log.warn('a route is not served', { ...failure })
    })
  }

  certificates?.connect({
    publish: async (token, text) => {
      if (text === null) challenges.delete(`${CHALLENGE_PATH}${token}`)
      else challenges.set(`${CHALLENGE_PATH}${token}`, text)
      await again()
    },
    changed: () => void again().catch((error: unknown) => log.warn('cannot show a new certificate', { error: messageOf(error) })),
  })

  const statuses = async (): Promise<readonly RouteStatus[]> => {
    const servers = proxy.pid() === undefined ? [] : await proxy.servers()
    return wanted.map((route) => {
      const shift = shifts.get(route.id)
      return routeStatus({
        route: shiftRoute(route, shift),
        isShifted: shift !== undefined,
        problem: problems.get(route.id) ?? null,
        servers,
      })
    })
  }

  const statusNow = async () => {
    const pid = proxy.pid() ?? null
    try {
      return { isRunning: pid !== null, pid, servers: pid === null ? [] : await proxy.servers() }
    } catch (error) {
      if (proxy.pid() !== undefined) throw error
      return { isRunning: false, pid: null, servers: [] }
    }
  }

  return {
    apply: async (routes) => await locks.run('router', async () => await apply(routes)),
    withdraw,
    connections: async () => {
      if (proxy.pid() === undefined) return new Map()
      const sums = new Map<string, number>()
      const add = (servers: readonly ProxyServer[]) => {
        for (const { id, connections } of servers) sums.set(id, (sums.get(id) ?? 0) + connections)
      }
      add(await proxy.servers())
      // A websocket stays with the worker that it came to, over all reloads.
      for (const worker of await oldWorkers()) add(await worker.servers().catch(() => []))
      return sums
    },
    freePort: async (hostIp) => await probeListen(listenAddress(hostIp), 0),
    status: async () => {
      try {
        return await statusNow()
      } catch {
        // It is being started, or has just died: whoever sees to that has the lock.
        return await locks.run('router', statusNow)
      }
    },
    routes: statuses,
    shift: async (routeId, shares) => {
      const route = wanted.find((candidate) => candidate.id === routeId)
      if (route === undefined) throw routeError('route.not_found', `no such route: ${routeId}`)
      if (shares === null) shifts.delete(routeId)
      else {
        checkShift(route, shares)
        if (shifts.get(routeId) === undefined && shifts.entries().length >= MAX_SHIFTS)
          throw routeError('route.invalid', `${MAX_SHIFTS} routes are shifted by hand already`)
        shifts.put(routeId, shares)
      }
      await again()
      const found = (await statuses()).find((status) => status.id === routeId)
      if (found === undefined) throw routeError('route.not_found', `the route ${routeId} has just gone`)
      return found
    },
    metrics,
    recover: async () => proxy.pid() !== undefined,
    stop: async () => void (await locks.run('router', async () => await apply([]))),
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      watch?.[Symbol.dispose]()
      await locks.run('router', async () => undefined)
      await metrics[Symbol.asyncDispose]()
    },
  }
}

function isSilent(error: unknown): boolean {
  return error instanceof GloveboxError && error.code === 'route.haproxy_silent'
}

function failAll(routes: readonly Route[], error: unknown): readonly RouteFailure[] {
  return routes.map((route) => ({ id: route.id, reason: messageOf(error) }))
}
