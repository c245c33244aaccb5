import { shortId } from '#base'

import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import type { ContainerRecord } from './record.ts'
import type { ContainerSpec } from './spec.ts'

/** A container that another one on the default network knows by a name of its own (`--link`). */
export interface LinkedContainer {
  readonly alias: string
  readonly name: string
  readonly hostname: string
  readonly address: string
  readonly spec: Pick<ContainerSpec, 'exposedPorts'> & { readonly process: Pick<ContainerSpec['process'], 'env'> }
}

/** Those that run now. On other networks links are names that the name service answers. */
export function linkedContainers(context: Context, { spec }: ContainerRecord): readonly LinkedContainer[] {
  const { links = [], mode } = spec.network
  if (mode !== DEFAULT_NETWORK) return []
  return links.flatMap(({ container, alias }) => {
    const other = context.registry.tryFind(container)?.record
    const address = other === undefined ? undefined : defaultAddress(context, other)
    if (other === undefined || address === undefined) return []
    return [{ alias, name: other.name, hostname: other.spec.hostname || shortId(other.id), address, spec: other.spec }]
  })
}

export const DEFAULT_NETWORK = 'bridge'

function defaultAddress({ networks }: Context, { id }: ContainerRecord): string | undefined {
  return networks.endpointsOf(id).find(({ networkName }) => networkName === DEFAULT_NETWORK)?.ipAddress
}

/** `container.not_running`: a container that starts must find those that it is linked to. */
export function requireLinked(context: Context, record: ContainerRecord): void {
  const { links = [], mode } = record.spec.network
  if (mode !== DEFAULT_NETWORK) return
  const running = new Set(linkedContainers(context, record).map(({ alias }) => alias))
  const missing = links.find(({ alias }) => !running.has(alias))
  if (missing === undefined) return
  throw containerError(
    'container.not_running',
    `Cannot link to a non running container: /${missing.container} AS /${record.name}/${missing.alias}`,
  )
}

/** Running containers whose files tell of this one: they have to be written again when its address changes. */
export function linkedFrom(context: Context, record: ContainerRecord): readonly ContainerRecord[] {
  if (record.spec.network.mode !== DEFAULT_NETWORK) return []
  return [...context.registry.all()]
    .filter(({ process }) => process !== null)
    .map((live) => live.record)
    .filter(({ spec }) =>
      (spec.network.links ?? []).some(({ container }) => context.registry.tryFind(container)?.record.id === record.id),
    )
}

/** As `--add-host` has them. */
export function linkedHosts(linked: readonly LinkedContainer[]): readonly string[] {
  return linked.flatMap(({ alias, name, hostname, address }) =>
    [...new Set([alias, hostname, name])].map((one) => `${one}:${address}`),
  )
}

/** Not told, since every container has its own. */
const OWN_VARIABLES: ReadonlySet<string> = new Set(['HOME', 'PATH'])

/** What programs of the time before networks had names read: `DB_PORT_5432_TCP_ADDR` and its kin. */
export function linkEnvironment({ name }: Pick<ContainerRecord, 'name'>, linked: readonly LinkedContainer[]): readonly string[] {
  return linked.flatMap(({ alias, address, spec }) => {
    const prefix = alias.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
    const ports = spec.exposedPorts.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    const urlOf = (port: string) => `${port.split('/')[1] ?? 'tcp'}://${address}:${Number.parseInt(port, 10)}`
    const [first] = ports
    return [
      `${prefix}_NAME=/${name}/${alias}`,
      ...(first === undefined ? [] : [`${prefix}_PORT=${urlOf(first)}`]),
      ...ports.flatMap((port) => {
        const [number = '', protocol = 'tcp'] = port.split('/')
        const key = `${prefix}_PORT_${number}_${protocol.toUpperCase()}`
        return [`${key}=${urlOf(port)}`, `${key}_ADDR=${address}`, `${key}_PORT=${number}`, `${key}_PROTO=${protocol}`]
      }),
      ...spec.process.env.flatMap((entry) => (OWN_VARIABLES.has(entry.split('=', 1)[0] ?? '') ? [] : [`${prefix}_ENV_${entry}`])),
    ]
  })
}
