import type { NodeRecord, TaskRecord } from '#cluster/model'
import type { Services } from '#cluster/services'

import { nodeView, type NodeView } from './node-view.ts'
import { titleOf } from './service-view.ts'
import { taskView, type TaskView } from './task-view.ts'

/** What people do with nodes. A `ref` is a hostname, an id or the beginning of one. Errors: `service.node_not_found`, `service.ambiguous`. */
export interface Nodes {
  list(): Promise<readonly NodeView[]>
  get(ref: string): Promise<{ readonly node: NodeView; readonly tasks: readonly TaskView[] }>
  update(ref: string, change: NodeWish): Promise<NodeView>
  /** What re-balancing would move; nothing is done. */
  moves(): Promise<readonly MoveView[]>
  /** Moves one task of each service that stands badly; gives back which. Called again it goes on. */
  rebalance(): Promise<readonly MoveView[]>
}

export interface NodeWish {
  /** null: the label goes. Those that are not named stay. */
  readonly labels?: Readonly<Record<string, string | null>>
  readonly availability?: NodeRecord['availability']
}

export interface MoveView {
  readonly task: string
  /** Hostnames. */
  readonly from: string
  readonly to: string
  readonly reason: string
}

export interface NodesPorts {
  readonly services: Services
  readonly scheduling: {
    moves(): readonly Move[]
    rebalance(): Promise<readonly Move[]>
  }
}

interface Move {
  readonly taskId: string
  readonly from: string
  readonly to: string
  readonly reason: string
}

export function openNodes({ services, scheduling }: NodesPorts): Nodes {
  const liveTasks = async (): Promise<readonly TaskRecord[]> =>
    (await services.tasks({ isEnded: false })).map(({ record }) => record)
  async function views(moves: readonly Move[]): Promise<readonly MoveView[]> {
    const names = new Map((await services.nodes()).map(({ record }) => [record.id, record.description.hostname]))
    const sights = new Map((await services.list()).map((sight) => [sight.record.id, sight]))
    const tasks = new Map((await services.tasks({})).map(({ record }) => [record.id, record]))
    return moves.map(({ taskId, from, to, reason }) => {
      const task = tasks.get(taskId)
      const sight = sights.get(task?.serviceId ?? '')
      const name = sight === undefined ? taskId : `${titleOf(sight.record, sight.revision.spec.name)}.${task?.slot ?? ''}`
      return { task: name, from: names.get(from) ?? from, to: names.get(to) ?? to, reason }
    })
  }
  return {
    list: async () => {
      const tasks = await liveTasks()
      return (await services.nodes()).map(({ record }) => nodeView(record, tasks))
    },
    get: async (ref) => {
      const { record } = await services.node(ref)
      const tasks = (await liveTasks()).filter(({ nodeId }) => nodeId === record.id)
      const sights = new Map((await services.list()).map((sight) => [sight.record.id, sight]))
      const nodes = new Map([[record.id, record]])
      const shown = tasks.flatMap((task) => {
        const sight = sights.get(task.serviceId)
        return sight === undefined ? [] : [taskView(task, sight, nodes)]
      })
      return { node: nodeView(record, tasks), tasks: shown.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
    },
    update: async (ref, { labels = {}, availability }) => {
      const { record: before, version } = await services.node(ref)
      const next = new Map(Object.entries(before.labels))
      for (const [name, value] of Object.entries(labels)) {
        if (value === null) next.delete(name)
        else next.set(name, value)
      }
      const change = { labels: Object.fromEntries(next), ...(availability === undefined ? {} : { availability }) }
      const { record } = await services.updateNode(before.id, change, version)
      return nodeView(record, await liveTasks())
    },
    moves: async () => await views(scheduling.moves()),
    rebalance: async () => await views(await scheduling.rebalance()),
  }
}
