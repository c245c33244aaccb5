import type { RevisionRecord, StackRecord } from '#cluster/model'
import type { ChecksSpec } from '#cluster/spec'

import type { AssignedTask } from './assigned-task.ts'
import type { NodeTask } from './node-port.ts'

/** Ports of the task that the router sends to: those that it publishes, and those that routes of its stack name. */
export function routedPorts({ spec }: RevisionRecord, stack: StackRecord | undefined): readonly number[] {
  const published = spec.ports
    .filter(({ mode, protocol }) => mode === 'ingress' && protocol === 'tcp')
    .map(({ containerPort }) => containerPort)
  const named = (stack?.spec.routes ?? [])
    .flatMap(({ targets }) => targets)
    .flatMap((target) => (target.type === 'service' && target.service === spec.name ? [target.containerPort] : []))
  return [...new Set([...published, ...named])]
}

/** One that listens for longer than this after its start was perhaps never meant to: it is taken as it is. */
export const LISTEN_PATIENCE_MS = 10_000
/** A connection that is made and closed. */
const LISTEN_EVERY_MS = 100
const LISTEN_TIMEOUT_MS = 1000

/**
 * What has to hold before it gets requests. Where nothing is said, and the image says nothing either, it has to listen: programs take from milliseconds to many seconds
 * until they do, and those that it takes the place of must not go before.
 */
export function checksOf({ revision, routedPorts: [port] }: AssignedTask, container: NodeTask): ChecksSpec {
  const { checks } = revision.spec
  const isSaid = checks.startup !== null || checks.readiness !== null || container.health !== 'none'
  if (port === undefined || isSaid || Object.values(container.addresses).every((address) => address === '')) return checks
  const times = { intervalMs: LISTEN_EVERY_MS, timeoutMs: LISTEN_TIMEOUT_MS, initialDelayMs: 0 }
  return { ...checks, startup: { probe: { type: 'tcp', port }, ...times, failures: 1, successes: 1 } }
}
