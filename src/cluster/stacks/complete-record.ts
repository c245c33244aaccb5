import type { NodePort, RoutePort, StackRecord } from '#cluster/reconcile'
import { portKey } from '#cluster/reconcile'

/** Fills in what the record lacks and can be found now: image ids and host ports. The same object when there is nothing new. */
export async function completeRecord(record: StackRecord, node: NodePort, routes: RoutePort): Promise<StackRecord> {
  if (record.state === 'removing') return record
  const images: Record<string, string> = { ...record.images }
  const chosenPorts: Record<string, number> = { ...record.chosenPorts }
  let isChanged = false
  for (const service of record.spec.services) {
    if (images[service.name] === undefined) {
      const id = await node.resolveImage(service.task.image)
      if (id !== undefined) images[service.name] = id
      isChanged ||= id !== undefined
    }
    for (const port of service.ports) {
      const key = portKey(service.name, port)
      if (port.mode !== 'ingress' || port.published !== null || chosenPorts[key] !== undefined) continue
      chosenPorts[key] = await routes.freePort(port.hostIp)
      isChanged = true
    }
  }
  return isChanged ? { ...record, images, chosenPorts } : record
}
