import { TASK_LABELS } from '#cluster/agent'
import type { Networks } from '#engine/network'
import { checkPolicy, type Policy } from '#traffic/policy'
import type { Discovery } from '#traffic/discovery'
import type { Router } from '#traffic/router'
import type { RefusedConnection, RouteFacts, ServiceFacts, SlowEnd, UnknownName } from '#operate/why'

import type { SlowEnds } from './slow-ends.ts'
import type { UnknownNames } from './unknown-names.ts'

/** Routes with what is behind them. A router that does not answer has none to tell of. */
export async function routeFacts(
  router: Pick<Router, 'routes' | 'metrics'>,
  services: readonly ServiceFacts[],
): Promise<readonly RouteFacts[]> {
  const [routes, metrics] = await Promise.all([router.routes(), router.metrics.read()])
  return routes.map(({ id, hostIp, hostPort, hosts, path, certificate, problem, backends }) => {
    const own = metrics.filter(({ routeId, backendId }) => routeId === id && backendId === '')
    return {
      ...{ id, hostIp, hostPort, hosts, path, certificate, problem },
      backends: backends.map(({ isUp, state }) => ({ isUp, state })),
      serviceId: ownerOf(id, services),
      unanswered: own.reduce((sum, { counts }) => sum + counts.responses5xx + counts.failures, 0),
    }
  })
}

/** Ids of routes begin with the name of their service. */
function ownerOf(routeId: string, services: readonly ServiceFacts[]): string | null {
  const owner = services.find(
    ({ name, stack, shortName }) =>
      routeId.startsWith(`${name}/`) || (stack !== null && routeId.startsWith(`${stack}/${shortName}/`)),
  )
  return owner?.id ?? null
}

/** Those that would be refused now as well. */
export async function refusedConnections(policy: Pick<Policy, 'attempts' | 'stacks'>): Promise<readonly RefusedConnection[]> {
  const stacks = policy.stacks()
  return (await policy.attempts()).flatMap(({ from, to, protocol, port, packets }): readonly RefusedConnection[] => {
    const rule = ruleOf(() => checkPolicy(stacks, from, port === 0 ? to : `${to}:${port}/${protocol}`))
    return rule === null ? [] : [{ from, to, protocol, port, packets, rule }]
  })
}

/** null: it is allowed by now, or nobody of theirs is there any more. */
function ruleOf(check: () => { readonly isAllowed: boolean; readonly rule: string }): string | null {
  try {
    const { isAllowed, rule } = check()
    return isAllowed ? null : rule
  } catch {
    return null
  }
}

export interface NameFactsNeeds {
  readonly names: UnknownNames
  readonly networks: Pick<Networks, 'list' | 'endpoints'>
  readonly discovery: Pick<Discovery, 'addresses'>
}

/** With the names that there are on the networks of whoever asked. */
export function unknownNames({ names, networks, discovery }: NameFactsNeeds): readonly UnknownName[] {
  const services = discovery.addresses()
  const there = new Map(networks.list().map(({ id, name }) => [String(id), { id, name }]))
  return names.list().map(({ networkIds, ...asked }) => {
    const on = networkIds.flatMap((id) => there.get(id) ?? [])
    const neighbours = on
      .flatMap(({ id }) => networks.endpoints(id))
      .flatMap(({ dnsNames, containerName }) => [...dnsNames.filter(isForPeople), containerName])
    const ofServices = services.filter(({ network }) => on.some(({ name }) => name === network)).map(({ service }) => service)
    return { ...asked, known: [...new Set([...ofServices, ...neighbours])].toSorted().slice(0, MAX_KNOWN) }
  })
}

/** As many as a name is compared with. */
const MAX_KNOWN = 500

/** Containers answer to the beginning of their ids as well. */
function isForPeople(name: string): boolean {
  return !/^[0-9a-f]{12}$/.test(name)
}

const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  10: 'SIGUSR1',
  12: 'SIGUSR2',
  15: 'SIGTERM',
  28: 'SIGWINCH',
}

export function slowEndFacts(ends: SlowEnds, services: readonly ServiceFacts[]): readonly SlowEnd[] {
  return ends.list().map(({ containerId, attributes, atMs, graceMs, signal }) => {
    const stack = attributes[TASK_LABELS.stack] ?? null
    const short = attributes[TASK_LABELS.service]
    const swarm = attributes['com.docker.swarm.service.id']
    const service = services.find(
      (one) => one.id === swarm || (short !== undefined && one.stack === stack && one.shortName === short),
    )
    const number = attributes[TASK_LABELS.number]
    return {
      ...{ containerId, atMs, graceMs },
      containerName: attributes['name'] ?? containerId.slice(0, 12),
      serviceId: service?.id ?? null,
      taskName:
        service === undefined
          ? null
          : `${service.stack === null ? service.name : service.shortName}${number === undefined ? '' : `.${number}`}`,
      signal: SIGNAL_NAMES[signal] ?? `signal ${signal}`,
    }
  })
}
