import type { NamespaceSpec } from '#cluster/spec'
import type { ContainerRecord } from '#engine/containers'

import { daemonError } from '../errors.ts'

const STACK = 'io.glovebox.stack'
const SERVICE = 'io.glovebox.service'
const OTHER = 'container:'

/**
 * With the id of the container in the place of `container:NAME` and `service:NAME`; of a service of the stack, the youngest of its containers
 * that run here. Errors: `node.partner_missing`.
 */
export function withPartners(
  namespaces: NamespaceSpec,
  labels: Readonly<Record<string, string>>,
  containers: readonly ContainerRecord[],
): NamespaceSpec {
  const resolved = Object.entries(namespaces).map(([key, value]) => [key, resolve(String(value), labels, containers)])
  return Object.fromEntries(resolved) as NamespaceSpec
}

function resolve(mode: string, labels: Readonly<Record<string, string>>, containers: readonly ContainerRecord[]): string {
  const [, kind, name] = /^(container|service):(.+)$/.exec(mode) ?? []
  if (kind === undefined || name === undefined) return mode
  const running = containers.filter(({ status }) => status.state === 'running')
  const found =
    kind === 'container'
      ? running.find((one) => one.name === name || one.id.startsWith(name))
      : running.find(({ spec }) => spec.labels[STACK] === labels[STACK] && spec.labels[SERVICE] === name)
  if (found === undefined)
    throw daemonError('node.partner_missing', `it shares with ${kind} ${name}, and no container of it runs here`)
  return `${OTHER}${found.id}`
}

/**
 * Why it is of no use any more though it runs: what it shares is gone, or was made anew with a later start. Undefined: it is. `startedAtMs`: of
 * another container that runs.
 */
export function lostPartner(
  { spec, status }: Pick<ContainerRecord, 'spec' | 'status'>,
  startedAtMs: (id: string) => number | undefined,
): string | undefined {
  const isLost = (id: string) => {
    const partnerMs = startedAtMs(id)
    return partnerMs === undefined || partnerMs > Date.parse(status.startedAt)
  }
  const shared = [
    ['network', spec.network.mode],
    ['processes', spec.namespaces.pid],
    ['IPC', spec.namespaces.ipc],
  ] as const
  const lost = shared.find(([, mode]) => mode.startsWith(OTHER) && isLost(mode.slice(OTHER.length)))
  return lost === undefined ? undefined : `the container whose ${lost[0]} it shares has ended`
}
