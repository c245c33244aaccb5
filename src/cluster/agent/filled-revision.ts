import type { NodeRecord, RevisionRecord, ServiceRecord, TaskRecord } from '#cluster/model'
import { fillPlaceholders, type MountSpec, type PlaceholderValues } from '#cluster/spec'

/** What a task is made from, with the placeholders of its texts filled in: its host's name, its environment, and where it mounts from. */
export function filledRevision(
  revision: RevisionRecord,
  { task, service, node }: { readonly task: TaskRecord; readonly service: ServiceRecord; readonly node: NodeRecord | undefined },
): RevisionRecord {
  if (revision.parts.hasPlaceholders !== true) return revision
  const nodeId = task.nodeId ?? ''
  const taskSlot = task.slot === null ? nodeId : String(task.slot)
  const values: PlaceholderValues = {
    serviceId: service.id,
    serviceName: service.name,
    serviceLabels: service.labels,
    nodeId,
    nodeHostname: node?.description.hostname ?? '',
    taskId: task.id,
    taskName: `${service.name}.${taskSlot}.${task.id}`,
    taskSlot,
  }
  const fill = (text: string) => fillPlaceholders(text, values)
  const { spec, parts } = revision
  const { environment, hostname, mounts } = spec.task
  return {
    ...revision,
    spec: {
      ...spec,
      task: {
        ...spec.task,
        hostname: hostname === null ? null : fill(hostname),
        environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(value)])),
        mounts: mounts.map((mount): MountSpec => (mount.type === 'bind' ? { ...mount, source: fill(mount.source) } : mount)),
      },
    },
    parts: { ...parts, volumes: parts.volumes.map((volume) => ({ ...volume, name: fill(volume.name) })) },
  }
}
