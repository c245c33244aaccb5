import { formatBytes } from '#base'

import { staticRefusal } from './eligible.ts'
import type { GroupState } from './group-state.ts'
import { describeClaim } from './host-ports.ts'
import type { Ledger } from './ledger.ts'
import { isTaken, type NodeState } from './node-state.ts'
import type { Refusal } from './port.ts'
import { formatCpus, shortKey } from './reason.ts'
import { affinityRefusal, roomRefusal } from './room.ts'

type Filter = Refusal['filter']
type Words = (ledger: Ledger, state: GroupState, nodes: readonly NodeState[]) => Pick<Refusal, 'reason' | 'advice'>

/** Why no node takes a task of this group: the filter with the most nodes first. `onlyNode`: it may go nowhere else. */
export function explain(ledger: Ledger, state: GroupState, onlyNode: string | null): readonly Refusal[] {
  const nodes = [...ledger.nodes.values()].filter(({ node }) => onlyNode === null || node.id === onlyNode)
  if (nodes.length === 0) return [withoutNodes(onlyNode)]
  const refused = new Map<Filter, NodeState[]>()
  for (const node of nodes.toSorted(byName)) {
    const filter = staticRefusal(state, node.node) ?? roomRefusal(ledger, state, node)
    if (filter !== null) refused.set(filter, [...(refused.get(filter) ?? []), node])
  }
  return [...refused]
    .map(([filter, at]) => ({ filter, nodes: at.length, ...WORDS[filter](ledger, state, at) }))
    .toSorted((a, b) => b.nodes - a.nodes || (a.filter < b.filter ? -1 : 1))
}

/** `no node takes it: node.labels.zone == a: 3 nodes have b; …`. */
export function summaryOf(refusals: readonly Refusal[]): string {
  return `no node takes it: ${refusals.map((refusal) => refusal.reason).join('; ')}`
}

function withoutNodes(onlyNode: string | null): Refusal {
  return onlyNode === null
    ? { filter: 'ready', nodes: 0, reason: 'the cluster has no nodes', advice: 'start a daemon, or let one join' }
    : { filter: 'ready', nodes: 0, reason: `there is no node ${onlyNode}`, advice: 'the task goes when its service sees it' }
}

const WORDS: Readonly<Record<Filter, Words>> = {
  ready: (_, __, nodes) => ({
    reason: `${namesOf(nodes)} ${isOrAre(nodes)} not ready`,
    advice: 'see whether the daemon runs there and reaches the cluster',
  }),
  availability: (_, __, nodes) => ({
    reason: tally(nodes, ({ node }) => (node.availability === 'drain' ? 'drained' : 'paused'), isOrAre),
    advice: `set the availability of ${nodes.length === 1 ? namesOf(nodes) : 'one of them'} to active`,
  }),
  constraint: (_, state, nodes) => describeConstraints(state, nodes),
  platform: (_, { group }, nodes) => {
    const wanted = group.platforms.map(({ os, architecture }) => [os, architecture].filter(Boolean).join('/')).join(' or ')
    return {
      reason: `${wanted} is wanted: ${tally(nodes, ({ node: { platform } }) => `${platform.os}/${platform.architecture}`, isOrAre)}`,
      advice: `add a node with ${wanted}, or use an image for the platform of the nodes`,
    }
  },
  cpu: (ledger, { group }, nodes) =>
    describeAmount(nodes, group.nanoCpus, 'CPU', formatCpus, (slot) => [
      ledger.amounts.freeNanoCpus[slot] ?? 0,
      ledger.amounts.nanoCpus[slot] ?? 0,
    ]),
  memory: (ledger, { group }, nodes) =>
    describeAmount(nodes, group.memoryBytes, 'memory', formatBytes, (slot) => [
      ledger.amounts.freeMemoryBytes[slot] ?? 0,
      ledger.amounts.memoryBytes[slot] ?? 0,
    ]),
  'host-port': (_, state, nodes) => describePorts(state, nodes),
  volume: (ledger, { group }, nodes) => {
    const elsewhere =
      group.volumes.find((volume) => nodes.some(({ slot }) => ledger.volumes.get(volume)?.has(slot) === false)) ?? ''
    const holders = [...(ledger.volumes.get(elsewhere)?.keys() ?? [])].flatMap((slot) => ledger.slots[slot] ?? [])
    return {
      reason: `volume ${elsewhere} is only on ${namesOf(holders.toSorted(byName))}, and not on ${namesOf(nodes)}`,
      advice: `bring ${namesOf(holders.toSorted(byName))} back or make room there, or remove the volume if what is in it is not needed`,
    }
  },
  'max-per-node': (_, { group }, nodes) => ({
    reason: `${countOf(nodes)} ${nodes.length === 1 ? 'has' : 'have'} ${group.maxPerNode} of ${group.serviceName} already, and no more may be on one`,
    advice: 'add a node, want fewer replicas, or raise max_replicas_per_node',
  }),
  affinity: (ledger, state, nodes) => describeAffinity(ledger, state, nodes),
}

function describeConstraints(state: GroupState, nodes: readonly NodeState[]): Pick<Refusal, 'reason' | 'advice'> {
  const failing = state.constraints.flatMap((constraint) => {
    // A node counts for the first constraint that it breaks.
    const at = nodes.filter(({ node }) => state.constraints.find((other) => !other.holds(node)) === constraint)
    return at.length === 0 ? [] : [{ constraint, at }]
  })
  const [most] = failing.toSorted((a, b) => b.at.length - a.at.length)
  const text = most?.constraint.text ?? ''
  return {
    reason: failing
      .map(({ constraint, at }) => `${constraint.text}: ${tally(at, ({ node }) => constraint.found(node), hasOrHave)}`)
      .join('; '),
    advice: text.includes(' == ')
      ? `give a node ${shortKey(text.replace(' == ', '='))}, or take the constraint away`
      : `add a node for which ${text}, or take the constraint away`,
  }
}

function describeAmount(
  nodes: readonly NodeState[],
  needed: number,
  what: string,
  format: (amount: number) => string,
  amountsOf: (slot: number) => readonly [number, number],
): Pick<Refusal, 'reason' | 'advice'> {
  const freest = nodes.toSorted((a, b) => amountsOf(b.slot)[0] - amountsOf(a.slot)[0] || byName(a, b))[0]
  const most = freest === undefined ? 0 : Math.max(0, amountsOf(freest.slot)[0])
  const tooSmall = nodes.filter(({ slot }) => amountsOf(slot)[1] < needed).length
  const small =
    tooSmall === 0 ? '' : `; ${tooSmall === nodes.length ? 'all' : tooSmall} of them would be too small even when empty`
  return {
    reason: `${format(needed)}${what === 'memory' ? ' of memory' : ''} needed: of ${countOf(nodes)} ${freest?.node.hostname ?? ''} has the most free, ${format(most)}${small}`,
    advice:
      tooSmall === nodes.length
        ? `reserve less ${what}, or add a node that has so much`
        : `reserve less ${what}, end other tasks, or add a node`,
  }
}

function describePorts(state: GroupState, nodes: readonly NodeState[]): Pick<Refusal, 'reason' | 'advice'> {
  const taken = state.claims.filter((claim) => nodes.some((node) => isTaken(node, claim)))
  const holders = new Set(
    nodes.flatMap((node) =>
      [...node.tasks]
        .filter((task) => task.state.claims.some((has) => taken.some((claim) => claim.port === has.port)))
        .map((task) => task.state.group.serviceName),
    ),
  )
  const by = [...holders].toSorted().slice(0, MAX_NAMES).join(', ')
  return {
    reason: `port ${taken.map(describeClaim).join(', ')} is taken on ${namesOf(nodes)} by ${by}`,
    advice: 'publish another port, want fewer replicas, or publish it through the router (mode: ingress)',
  }
}

function describeAffinity(ledger: Ledger, state: GroupState, nodes: readonly NodeState[]): Pick<Refusal, 'reason' | 'advice'> {
  const texts = nodes.map((node) => {
    const refusal = affinityRefusal(ledger, state, node)
    if (refusal === null) return ''
    const { rule, by, place } = refusal
    const at = `${shortKey(rule.topology)}=${place === '' ? 'none' : place}`
    if (by !== state) return `${by.group.serviceName} is in ${at} and keeps ${state.group.serviceName} away`
    return rule.type === 'affinity' ? `no task of ${rule.service} is in ${at}` : `a task of ${rule.service} is in ${at}`
  })
  const counts = [...Map.groupBy(texts, (text) => text)].map(([text, of]) => `${text} (${of.length} ${plural(of.length)})`)
  return {
    reason: shown(counts),
    advice: 'add a node in another place, make the rule a wish (required: false), or start what it wants to be near to',
  }
}

/** So many names and values are told apart; the rest is counted. */
const MAX_NAMES = 3

/** `3 nodes have b, 1 has none`. */
function tally(
  nodes: readonly NodeState[],
  of: (node: NodeState) => string,
  verb: (nodes: readonly NodeState[]) => string,
): string {
  const groups = [...Map.groupBy(nodes, of)].toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
  return shown(
    groups.map(([value, at], index) => `${at.length}${index === 0 ? ` ${plural(at.length)}` : ''} ${verb(at)} ${value}`),
  )
}

function shown(texts: readonly string[]): string {
  const more = texts.length - MAX_NAMES
  return more > 0 ? `${texts.slice(0, MAX_NAMES).join(', ')} and ${more} more` : texts.join(', ')
}

function namesOf(nodes: readonly NodeState[]): string {
  return shown(nodes.map(({ node }) => node.hostname || node.id))
}

function countOf(nodes: readonly NodeState[]): string {
  return `${nodes.length} ${plural(nodes.length)}`
}

function plural(count: number): string {
  return count === 1 ? 'node' : 'nodes'
}

function isOrAre(nodes: readonly NodeState[]): string {
  return nodes.length === 1 ? 'is' : 'are'
}

function hasOrHave(nodes: readonly NodeState[]): string {
  return nodes.length === 1 ? 'has' : 'have'
}

function byName(a: NodeState, b: NodeState): number {
  return a.node.hostname < b.node.hostname ? -1 : a.node.hostname > b.node.hostname ? 1 : a.node.id < b.node.id ? -1 : 1
}
