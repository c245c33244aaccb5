import { wantsNode } from './node-fit.ts'
import { isLive, isStaying, seatKey, targetOf, type ClusterState, type Seat, type ServiceState } from './service-state.ts'

export interface Place {
  readonly slot: number | null
  readonly nodeId: string | null
}

/** Where tasks of a service can be: slots of a replicated one, nodes of a global one. */
export interface Places {
  /** How many tasks are wanted. */
  readonly wanted: number
  /** The next ones without a task, at most `count`; `isBeside`: also where an old one still stands. */
  free(count: number, isBeside: boolean, except?: readonly Seat[]): readonly Place[]
  /** Is not wanted at all any more, whatever it is. */
  isForeign(seat: Seat): boolean
  /** Of a global service an old task may go only when the new one of its own node is there. */
  readonly isByNode: boolean
}

export function placesOf(state: ServiceState, cluster: ClusterState, seats: readonly Seat[]): Places {
  const live = new Set(state.tasks.filter((task) => task.runId === null && isLive(task)).map(seatKey))
  const held = new Set(seats.map((seat) => seat.key))
  const target = targetOf(state)
  if (target?.spec.mode !== 'global') {
    return {
      wanted: state.service.replicas,
      isByNode: false,
      isForeign: () => false,
      free: (count) => freeSlots(count, live, held),
    }
  }
  const nodes = [...cluster.nodes.values()].filter(wantsNode(state.service, target))
  const ids = new Set(nodes.map((node) => node.id))
  const current = new Set(seats.filter((seat) => seat.isCurrent).map((seat) => seat.nodeId))
  return {
    wanted: nodes.length,
    isByNode: true,
    isForeign: ({ nodeId }) => nodeId === null || !ids.has(nodeId),
    free: (count, isBeside, except = []) =>
      nodes
        .filter(({ id }) => !except.some((seat) => seat.nodeId === id))
        .filter(({ id, availability, status }) => availability === 'active' && status.state === 'ready' && !current.has(id))
        .filter(({ id }) => isBeside || (!held.has(`node ${id}`) && !live.has(`node ${id}`)))
        .slice(0, Math.max(0, count))
        .map(({ id }) => ({ slot: null, nodeId: id })),
  }
}

function freeSlots(count: number, live: ReadonlySet<string>, held: ReadonlySet<string>): readonly Place[] {
  const places: Place[] = []
  for (let slot = 1; places.length < count; slot += 1) {
    const key = `slot ${slot}`
    if (!live.has(key) && !held.has(key)) places.push({ slot, nodeId: null })
  }
  return places
}

/** One for each node: of two on the same the better one. */
export function oneByNode(seats: readonly Seat[]): readonly Seat[] {
  return [...Map.groupBy(seats, (seat) => seat.nodeId).values()].flatMap((ofNode) => keepBest(ofNode, 1))
}

/** Those that serve first, then the lowest slots, as people expect of a scale-down. */
export function keepBest(seats: readonly Seat[], count: number): readonly Seat[] {
  return seats.toSorted((a, b) => rank(a) - rank(b) || (a.slot ?? 0) - (b.slot ?? 0)).slice(0, Math.max(0, count))
}

/** The other way round: what is missed least goes first. */
export function leastUseful(seats: readonly Seat[]): readonly Seat[] {
  return seats.toSorted((a, b) => rank(b) - rank(a) || (b.slot ?? 0) - (a.slot ?? 0))
}

function rank({ task, isFallen }: Seat): number {
  if (isFallen) return 3
  if (!isStaying(task)) return 4
  return task.status.isReady ? 0 : task.status.state === 'running' ? 1 : 2
}
