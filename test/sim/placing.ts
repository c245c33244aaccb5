import type { Clock } from '#base'
import { keyOf, prefixOf, type NodeRecord, type RevisionRecord, type TaskRecord } from '#cluster/model'
import type { Mirror } from '#cluster/services'
import type { ClusterStore } from '#cluster/store'

/** The plainest scheduler that obeys the contract: the node with the fewest tasks, and where a volume is already, there. */
export function startPlacing(ports: {
  readonly store: ClusterStore
  readonly mirror: Mirror
  readonly clock: Clock
  readonly hasVolume: (nodeId: string, volume: string) => boolean
}): void {
  const { store, mirror, clock, hasVolume } = ports
  let isRunning = false
  let isDirty = false
  const trigger = (): void => {
    isDirty = true
    if (isRunning) return
    isRunning = true
    void (async () => {
      await mirror.opened
      while (isDirty) {
        isDirty = false
        try {
          await placeAll()
        } catch {
          await clock.sleep(200)
          isDirty = true
        }
      }
    })().finally(() => void (isRunning = false))
  }

  async function placeAll(): Promise<void> {
    const nodes = mirror.range<NodeRecord>(prefixOf('node')).map(({ value }) => value)
    const tasks = mirror.range<TaskRecord>(prefixOf('task'))
    const counts = new Map(
      nodes.map((node) => [
        node.id,
        tasks.filter(({ value }) => value.nodeId === node.id && value.status.state === 'running').length,
      ]),
    )
    const free = nodes.filter((node) => node.status.state === 'ready' && node.availability === 'active')
    for (const { key, value: task, revision } of tasks) {
      if (task.status.state !== 'pending' || task.desiredState === 'shutdown' || task.desiredState === 'remove') continue
      const spec = mirror.get<RevisionRecord>(keyOf('revision', task.serviceId, task.revision))?.value.spec
      if (spec === undefined) continue
      const volumes = spec.task.mounts.flatMap((mount) =>
        mount.type === 'volume' && mount.volume !== null ? [mount.volume] : [],
      )
      const home = nodes.find((node) => volumes.some((volume) => hasVolume(node.id, volume)))
      const candidates = free
        .filter((node) => (task.nodeId === null || node.id === task.nodeId) && (home === undefined || node.id === home.id))
        .toSorted((a, b) => (counts.get(a.id) ?? 0) - (counts.get(b.id) ?? 0))
      const [node] = candidates
      if (node === undefined) continue
      counts.set(node.id, (counts.get(node.id) ?? 0) + 1)
      const status = { ...task.status, state: 'assigned' as const, sinceMs: clock.nowMs(), message: 'placed' }
      const value = { ...task, nodeId: node.id, placement: 'fewest tasks', status, updatedAtMs: clock.nowMs() }
      await store.write({ conditions: [{ key, revision }], puts: [{ key, value }] })
    }
  }
  mirror.listen(trigger)
  trigger()
}
