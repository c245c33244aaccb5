import { keyOf, prefixOf, type NodeRecord, type RevisionRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'

import type { ClusterPicture, PictureEntry } from './picture.ts'
import type { SchedulerSnapshot } from './plan.ts'
import type { PendingTask, SchedulableNode, TaskGroup } from './port.ts'
import { groupOf, isLeaving, isStanding, isWaiting, schedulableOf } from './records.ts'
import type { Scheduler } from './scheduler.ts'

/** What the scheduler was told, kept equal to the records: it hears of each change once. */
export interface Desk {
  /** Reads anew everything that the keys name. */
  take(keys: Iterable<string>): void
  /** Tasks that wait for a node, by id. */
  readonly waiting: ReadonlyMap<string, PictureEntry<TaskRecord>>
  /** They are being told to end: from now on they count as leaving. */
  markLeaving(tasks: readonly TaskRecord[]): void
  /** Null: its service or revision is not there (yet). */
  pendingOf(task: TaskRecord): PendingTask | null
  /** All that stands, as the plan of moves takes it. */
  snapshot(): SchedulerSnapshot
  /** Counts up when room may have come: a node came or changed, a task went. */
  roomChanges(): number
}

export function openDesk(picture: ClusterPicture, scheduler: Scheduler): Desk {
  const waiting = new Map<string, PictureEntry<TaskRecord>>()
  const standing = new Map<string, string>()
  const groups = new Map<string, TaskGroup>()
  /** Node and volumes of each task that was on a node, also of ended ones: what they wrote is still there. */
  const volumes = new Map<string, { readonly nodeId: string; readonly names: readonly string[] }>()
  /** On a node, but of a service that is not there (yet). */
  const unknown = new Set<string>()
  let changes = 0

  function groupFor({ serviceId, revision }: TaskRecord): TaskGroup | null {
    const key = keyOf('revision', serviceId, revision)
    const known = groups.get(key)
    if (known !== undefined) return known
    const service = picture.get<ServiceRecord>(keyOf('service', serviceId))?.value
    const record = picture.get<RevisionRecord>(key)?.value
    if (service === undefined || record === undefined) return null
    const group = groupOf(service, record)
    groups.set(key, group)
    return group
  }

  function takeNode(id: string): void {
    const record = picture.get<NodeRecord>(keyOf('node', id))?.value
    if (record === undefined) scheduler.dropNode(id)
    else scheduler.putNode(nodeFrom(record))
  }

  function nodeFrom(record: NodeRecord): SchedulableNode {
    const names = [...volumes.values()].flatMap(({ nodeId, names }) => (nodeId === record.id ? names : []))
    return schedulableOf(record, names)
  }

  function takeTask(id: string): void {
    const entry = picture.get<TaskRecord>(keyOf('task', id))
    waiting.delete(id)
    unknown.delete(id)
    if (entry === undefined) {
      dropStanding(id)
      volumes.delete(id)
      return
    }
    const task = entry.value
    if (isWaiting(task)) waiting.set(id, entry)
    if (task.nodeId === null || isWaiting(task)) return dropStanding(id)
    const group = groupFor(task)
    if (group === null) {
      unknown.add(id)
      return dropStanding(id)
    }
    if (group.volumes.length > 0 && !volumes.has(id)) {
      volumes.set(id, { nodeId: task.nodeId, names: group.volumes })
      takeNode(task.nodeId)
    }
    if (!isStanding(task)) return dropStanding(id)
    standing.set(id, task.nodeId)
    scheduler.putTask({ id, nodeId: task.nodeId, group, isLeaving: isLeaving(task) })
  }

  /** A task that never stood may have been placed in the scheduler's mind only: that is the loop's to undo. */
  function dropStanding(id: string): void {
    if (!standing.delete(id)) return
    scheduler.dropTask(id)
    changes += 1
  }

  return {
    take: (keys) => {
      for (const key of keys) {
        const [kind, id = ''] = key.split('/')
        if (kind === 'task') takeTask(id)
        else if (kind === 'node') {
          takeNode(id)
          changes += 1
        } else if (kind === 'revision' && picture.get(key) === undefined) groups.delete(key)
        else if (kind === 'service' || kind === 'revision') retake(id)
      }
    },
    waiting,
    markLeaving: (tasks) => {
      for (const task of tasks) {
        const group = groupFor(task)
        if (group !== null && task.nodeId !== null)
          scheduler.putTask({ id: task.id, nodeId: task.nodeId, group, isLeaving: true })
      }
    },
    pendingOf: (task) => {
      const group = groupFor(task)
      return group === null ? null : { id: task.id, group, onlyNode: task.slot === null ? task.nodeId : null }
    },
    snapshot: () => ({
      nodes: picture.range<NodeRecord>(prefixOf('node')).map(({ value }) => nodeFrom(value)),
      placed: [...standing].flatMap(([id, nodeId]) => {
        const task = picture.get<TaskRecord>(keyOf('task', id))?.value
        const group = task === undefined ? null : groupFor(task)
        return task === undefined || group === null ? [] : [{ id, nodeId, group, isLeaving: isLeaving(task) }]
      }),
    }),
    roomChanges: () => changes,
  }

  /** Tasks that came before their service did. */
  function retake(serviceId: string): void {
    for (const id of [...unknown]) if (picture.get<TaskRecord>(keyOf('task', id))?.value.serviceId === serviceId) takeTask(id)
  }
}
