import { holdersOf, type NameQuestion, type ServiceIndex } from './names.ts'
import type { Binding } from './plan.ts'

/** Why a name means what it means to somebody, or nothing. */
export interface NameFinding {
  readonly name: string
  /** What it is answered with. Undefined: it is no service's there, and is looked for among containers and then outside. */
  readonly addresses: readonly string[] | undefined
  /** One line for people. */
  readonly reason: string
  /** Services of that name, wherever they are. */
  readonly holders: readonly NameHolder[]
}

export interface NameHolder {
  readonly stack: string | null
  readonly service: string
  readonly network: string
  /** Who asks is on that network too. */
  readonly isShared: boolean
  /** Its own addresses there. */
  readonly virtual: readonly string[]
  /** Of its ready tasks. */
  readonly backends: readonly string[]
}

/** Pure: the same question as the index answers. */
export function explainName(index: ServiceIndex, bindings: readonly Binding[], question: NameQuestion): NameFinding {
  const { name, networks } = question
  const shared = new Set(networks.map(({ id }) => id))
  const addresses = index.resolve(question)
  const holders = holdersOf(bindings, name).map(({ stack, service, network, networkId, virtual, backends }) => ({
    stack,
    service,
    network,
    isShared: shared.has(networkId),
    virtual,
    backends,
  }))
  return { name, addresses, reason: reasonOf(question, holders, addresses), holders }
}

function reasonOf(
  { name, networks }: NameQuestion,
  holders: readonly NameHolder[],
  addresses: readonly string[] | undefined,
): string {
  const on = networks.length === 0 ? 'no network with names' : networks.map((network) => network.name).join(', ')
  const near = holders.filter(({ isShared }) => isShared)
  if (addresses === undefined) {
    if (holders.length === 0) return `no service is called ${name} on any network`
    return `${list(holders)} is called ${name} on ${[...new Set(holders.map(({ network }) => network))].join(', ')}, and who asks is on ${on}`
  }
  const idle = near.filter(({ backends }) => backends.length === 0)
  if (near.length > 0 && idle.length === near.length)
    return addresses.length === 0
      ? `no task of ${list(near)} is ready: the answer is empty`
      : `no task of ${list(near)} is ready: its address refuses connections`
  const isOwn = near.some(({ virtual }) => virtual.some((address) => addresses.includes(address)))
  return isOwn
    ? `${list(near)} has an address of its own, behind which its ready tasks are`
    : `the answer is the addresses of the ready tasks of ${list(near)}`
}

function list(holders: readonly NameHolder[]): string {
  return [...new Set(holders.map(({ stack, service }) => (stack === null ? service : `${stack}/${service}`)))].join(', ')
}
