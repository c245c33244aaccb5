import { formatBytes } from '#base'

import type { GroupState } from './group-state.ts'
import type { Ledger } from './ledger.ts'
import type { NodeState, PlacedState } from './node-state.ts'

/** Why this node, in one line: `fewest tasks of web in zone=a (2), then on the node (0 of it, 3 in all)`. Called before the task is counted. */
export function reasonOf(
  ledger: Ledger,
  state: GroupState,
  node: NodeState,
  path: readonly { readonly key: string; readonly value: string; readonly count: number }[],
): string {
  const { group, service, wished } = state
  const { slot } = node
  const own = service.counts.get(slot) ?? 0
  const all = ledger.amounts.tasks[slot] ?? 0
  const places = path.map(({ key, value, count }) => `${shortKey(key)}=${value === '' ? 'none' : value} (${count})`)
  const where = places.length === 0 ? '' : `fewest tasks of ${group.serviceName} in ${places.join(', ')}, then `
  const wish = wished.length === 0 ? '' : 'most wishes met, then '
  if (ledger.settings.strategy === 'pack' && group.nanoCpus + group.memoryBytes > 0)
    return `${where}${wish}fullest node with room (${free(ledger, slot)} free before)`
  if (where === '' && wish === '') return `fewest tasks of ${group.serviceName} on the node (${own} of it, ${all} in all)`
  return `${where}${wish}fewest on the node (${own} of it, ${all} in all)`
}

/** The one task of a global service has no choice. */
export function onlyNodeReason(group: { readonly serviceName: string }): string {
  return `${group.serviceName} runs on every node that it may run on`
}

export function preemptionReason({ group }: GroupState, victims: readonly PlacedState[]): string {
  const names = [...new Set(victims.map((victim) => victim.state.group.serviceName))].join(', ')
  const tasks = `${victims.length} ${victims.length === 1 ? 'task' : 'tasks'} of ${names}`
  const priorities = [...new Set(victims.map((victim) => victim.state.group.priority))].filter(Number.isFinite)
  if (priorities.length === 0) return `takes the place of ${tasks}, which ${victims.length === 1 ? 'is' : 'are'} on the way out`
  return `priority ${group.priority} takes the place of ${tasks} (priority ${priorities.join(', ')})`
}

export function formatCpus(nanoCpus: number): string {
  const cpus = Math.round(nanoCpus / 1e6) / 1000
  return `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`
}

function free(ledger: Ledger, slot: number): string {
  const { freeNanoCpus, freeMemoryBytes } = ledger.amounts
  return `${formatCpus(freeNanoCpus[slot] ?? 0)} and ${formatBytes(freeMemoryBytes[slot] ?? 0)}`
}

/** `node.labels.zone` as `zone`. */
export function shortKey(key: string): string {
  return key.replace(/^(?:node|engine)\.labels\./i, '')
}
