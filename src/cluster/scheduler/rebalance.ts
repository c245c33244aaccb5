import { placeOf } from './attributes.ts'
import { schedulerOf, type SchedulerSnapshot } from './plan.ts'
import type { PlacedTask, SchedulableNode, TaskGroup } from './port.ts'
import { shortKey } from './reason.ts'
import type { Scheduler } from './scheduler.ts'
import { DEFAULT_SETTINGS, type SchedulerSettings } from './settings.ts'

/** A task that would stand better somewhere else. */
export interface Move {
  readonly taskId: string
  readonly serviceName: string
  readonly from: string
  readonly to: string
  /** `4 tasks of web in zone=a and 1 in zone=b`. */
  readonly reason: string
}

/** More are not looked for at once: each ends a task, and after some of them everything may be different. */
export const MAX_MOVES = 100

/**
 * What to move so that services stand as they are meant to: off nodes that they may not be on any more, and evenly over the labels that they are spread over, and over nodes (`spread`). Each
 * move makes it better by itself: no two tasks change places, and done one after the other in this order each has room. Nobody is preempted. What is `around`
 * takes room and is not moved. Pure.
 */
export function planRebalance(
  snapshot: SchedulerSnapshot & { readonly around?: readonly PlacedTask[] },
  settings: SchedulerSettings = DEFAULT_SETTINGS,
  maxMovesPerService = MAX_MOVES,
): readonly Move[] {
  const { around = [] } = snapshot
  const scheduler = schedulerOf({ ...snapshot, placed: [...snapshot.placed, ...around] }, settings)
  const nodes = new Map(snapshot.nodes.map((node) => [node.id, node]))
  const moves: Move[] = []
  const byService = Map.groupBy(
    snapshot.placed.filter(({ isLeaving }) => isLeaving !== true),
    ({ group }) => group.serviceId,
  )
  for (const tasks of [...byService.values()].toSorted(byServiceName)) {
    const at = new Map(tasks.map((task) => [task.id, task]))
    const end = Math.min(MAX_MOVES, moves.length + maxMovesPerService)
    for (const move of strayed(scheduler, nodes, at, end - moves.length)) moves.push(apply(at, move))
    const map = mapOf(scheduler, nodes, tasks, settings)
    while (moves.length < end) {
      const move = evened(scheduler, map, at)
      if (move === undefined) break
      moves.push(apply(at, move))
    }
  }
  return moves
}

/** Tasks on nodes that are closed to them: a label went, or the node is drained. */
function* strayed(
  scheduler: Scheduler,
  nodes: ReadonlyMap<string, SchedulableNode>,
  at: ReadonlyMap<string, PlacedTask>,
  most: number,
): Generator<Move> {
  let found = 0
  for (const task of [...at.values()].toSorted(byId)) {
    const node = nodes.get(task.nodeId)
    if (found >= most) return
    if (node === undefined || scheduler.isOpen(node.id, task.group)) continue
    // A paused node keeps what it has, and one that is away may come back.
    if (!node.isReady || node.availability === 'pause') continue
    const to = retry(scheduler, task)
    if (to === undefined) continue
    const why = node.availability === 'drain' ? 'is drained' : 'does not meet its constraints any more'
    found += 1
    yield moveOf(task, to, `${node.hostname} ${why}`)
  }
}

/** The nodes as a service sees them: each with its places from the widest to the narrowest. */
interface NodeMap {
  readonly paths: ReadonlyMap<string, readonly string[]>
  /** Paths of the nodes that its youngest tasks may go to. */
  readonly open: readonly (readonly string[])[]
}

function mapOf(
  scheduler: Scheduler,
  nodes: ReadonlyMap<string, SchedulableNode>,
  tasks: readonly PlacedTask[],
  settings: SchedulerSettings,
): NodeMap {
  const youngest = tasks.toSorted((a, b) => b.group.revision - a.group.revision)[0]
  const levels = levelsOf(youngest, settings)
  const paths = new Map([...nodes].map(([id, node]) => [id, pathOf(node, levels)]))
  const open = [...paths].filter(([id]) => youngest !== undefined && scheduler.isOpen(id, youngest.group)).map(([, path]) => path)
  return { paths, open }
}

/** One task from where there are most to where there are at least two fewer; undefined: there is none that would help. */
function evened(scheduler: Scheduler, { paths, open }: NodeMap, at: ReadonlyMap<string, PlacedTask>): Move | undefined {
  const counts = new Map<string, number>()
  for (const task of at.values())
    for (const place of paths.get(task.nodeId) ?? []) counts.set(place, (counts.get(place) ?? 0) + 1)
  const least = leastOf(open, counts)
  const isUneven = (task: PlacedTask) =>
    (paths.get(task.nodeId) ?? []).some((place, level, path) => {
      const fewest = least.get(path[level - 1] ?? '')
      return fewest !== undefined && (counts.get(place) ?? 0) - fewest >= 2
    })
  const tried = new Set<string>()
  for (const task of [...at.values()].filter(isUneven).toSorted((a, b) => byWeight(paths, counts, a, b) || byId(b, a))) {
    // Tasks of one revision on one node are alike.
    const kind = `${task.nodeId} ${task.group.revision}`
    if (tried.has(kind)) continue
    tried.add(kind)
    const to = retry(scheduler, task)
    if (to === undefined) continue
    const [from, there] = [paths.get(task.nodeId) ?? [], paths.get(to) ?? []]
    const level = from.findIndex((place, index) => place !== there[index])
    const [most, fewest] = [counts.get(from[level] ?? '') ?? 0, counts.get(there[level] ?? '') ?? 0]
    if (level >= 0 && most - fewest >= 2) {
      const places = [from[level], there[level]].map((place) => place?.slice(place.lastIndexOf('\0') + 1))
      return moveOf(task, to, `${most} of ${task.group.serviceName} in ${places[0]} and ${fewest} in ${places[1]}`)
    }
    scheduler.putTask(task)
  }
  return undefined
}

/** The fewest tasks that a branch of each fork has. */
function leastOf(open: NodeMap['open'], counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const least = new Map<string, number>()
  for (const path of open) {
    let fork = ''
    for (const place of path) {
      const count = counts.get(place) ?? 0
      least.set(fork, Math.min(least.get(fork) ?? count, count))
      fork = place
    }
  }
  return least
}

/** Where it would go today. It stands there then. Undefined: nowhere else; it stands where it stood. */
function retry(scheduler: Scheduler, task: PlacedTask): string | undefined {
  scheduler.dropTask(task.id)
  const group: TaskGroup = { ...task.group, priority: Number.NEGATIVE_INFINITY, revision: -task.group.revision - 1 }
  const [placement] = scheduler.place([{ id: task.id, group, onlyNode: null }])
  const to = placement?.type === 'placed' ? placement.nodeId : undefined
  scheduler.dropTask(task.id)
  scheduler.putTask(to === undefined ? task : { ...task, nodeId: to })
  return to === task.nodeId ? undefined : to
}

function levelsOf(youngest: PlacedTask | undefined, settings: SchedulerSettings): readonly string[] {
  const reserves = youngest !== undefined && youngest.group.nanoCpus + youngest.group.memoryBytes > 0
  const spread = youngest?.group.spread ?? []
  return settings.strategy === 'pack' && reserves ? spread : [...spread, 'node.id']
}

/** Places from the widest to the narrowest, each with those around it: two racks of one name in two zones are two. */
function pathOf(node: SchedulableNode, levels: readonly string[]): readonly string[] {
  let around = ''
  return levels.map((key) => {
    const value = key === 'node.id' ? node.hostname : placeOf(key)(node)
    const name = key === 'node.id' ? value : `${shortKey(key)}=${value === '' ? 'none' : value}`
    around = `${around}${key === 'node.id' ? node.id : value}\0${name}`
    return around
  })
}

function byWeight(
  paths: ReadonlyMap<string, readonly string[]>,
  counts: ReadonlyMap<string, number>,
  a: PlacedTask,
  b: PlacedTask,
): number {
  const [left, right] = [paths.get(a.nodeId) ?? [], paths.get(b.nodeId) ?? []]
  for (const [level, place] of left.entries()) {
    const difference = (counts.get(right[level] ?? '') ?? 0) - (counts.get(place) ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function apply(at: Map<string, PlacedTask>, move: Move): Move {
  const task = at.get(move.taskId)
  if (task !== undefined) at.set(task.id, { ...task, nodeId: move.to })
  return move
}

function moveOf({ id, nodeId, group }: PlacedTask, to: string, reason: string): Move {
  return { taskId: id, serviceName: group.serviceName, from: nodeId, to, reason }
}

function byServiceName([a]: readonly PlacedTask[], [b]: readonly PlacedTask[]): number {
  return (a?.group.serviceName ?? '') < (b?.group.serviceName ?? '') ? -1 : 1
}

function byId(a: PlacedTask, b: PlacedTask): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
