import type {
  ChangePlan,
  HistoryRecord,
  MoveView,
  NodeView,
  NodeWish,
  Performed,
  ServiceDetails,
  ServiceEvent,
  ServiceVerb,
  ServiceView,
  TaskView,
} from '#api/glovebox'

import { json, lines, segment } from './call.ts'
import { checked } from './checked.ts'
import type { Transport } from './transport.ts'

/** Services, their tasks and history. `ref`: `shop/web`, `shop_web`, an id or the beginning of one. */
export interface ServiceCalls {
  list(): Promise<readonly ServiceView[]>
  get(ref: string): Promise<ServiceDetails>
  tasks(refs: readonly string[], options?: { readonly isEnded?: boolean }): Promise<readonly TaskView[]>
  history(wanted: HistoryQuery): Promise<readonly HistoryRecord[]>
  /** What would be done; nothing is. */
  preview(ref: string, verb: ServiceVerb): Promise<ChangePlan>
  /** `planId`: only if it is what was shown. */
  perform(ref: string, verb: ServiceVerb, planId?: string): Promise<Performed>
  watch(ref: string, revision: number | null, signal?: AbortSignal): AsyncIterable<ServiceEvent>
}

export interface HistoryQuery {
  readonly services?: readonly string[]
  readonly limit?: number
  readonly before?: string
}

/** The machines that run tasks. `ref`: a hostname, an id or the beginning of one. */
export interface NodeCalls {
  list(): Promise<readonly NodeView[]>
  get(ref: string): Promise<{ readonly node: NodeView; readonly tasks: readonly TaskView[] }>
  update(ref: string, change: NodeWish): Promise<NodeView>
  moves(): Promise<readonly MoveView[]>
  rebalance(): Promise<readonly MoveView[]>
}

const V1 = '/glovebox/v1'

export function serviceCalls(transport: Transport): ServiceCalls {
  const one = (ref: string) => `${V1}/services/${segment(ref)}`
  return {
    list: () => json(transport, { method: 'GET', path: `${V1}/services` }),
    get: (ref) => json(transport, { method: 'GET', path: one(ref) }),
    tasks: (refs, { isEnded } = {}) =>
      json(transport, {
        method: 'GET',
        path: `${V1}/tasks`,
        query: { service: refs, ended: isEnded === undefined ? undefined : Number(isEnded) },
      }),
    history: ({ services, limit, before }) =>
      json(transport, { method: 'GET', path: `${V1}/history`, query: { service: services, limit, before } }),
    preview: (ref, verb) => json(transport, { method: 'POST', path: `${one(ref)}/preview`, json: verb }),
    perform: (ref, verb, planId) =>
      json(transport, { method: 'POST', path: `${one(ref)}/operations`, query: { plan: planId }, json: verb }),
    watch: (ref, revision, signal) =>
      checked(
        lines<ServiceEvent>(transport, {
          method: 'GET',
          path: `${one(ref)}/wait`,
          query: { revision: revision ?? undefined },
          ...(signal === undefined ? {} : { signal }),
        }),
      ),
  }
}

export function nodeCalls(transport: Transport): NodeCalls {
  const one = (ref: string) => `${V1}/nodes/${segment(ref)}`
  return {
    list: () => json(transport, { method: 'GET', path: `${V1}/nodes` }),
    get: (ref) => json(transport, { method: 'GET', path: one(ref) }),
    update: (ref, change) => json(transport, { method: 'PUT', path: one(ref), json: change }),
    moves: () => json(transport, { method: 'GET', path: `${V1}/rebalance` }),
    rebalance: () => json(transport, { method: 'POST', path: `${V1}/rebalance` }),
  }
}
