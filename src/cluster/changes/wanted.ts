import { describedRevision, type DescribedRevision, type ServiceRecord } from '#cluster/model'
import type { KeyedSecretSpec, NetworkSpec, PolicySpec, RouteSpec, StackSpec, VolumeSpec } from '#cluster/spec'

/** What is wanted of an application, or of services that stand alone. Everything by the name that it has in the cluster. */
export interface Wanted {
  readonly secret: Readonly<Record<string, KeyedSecretSpec>>
  readonly config: Readonly<Record<string, KeyedSecretSpec>>
  readonly network: Readonly<Record<string, NetworkSpec>>
  readonly volume: Readonly<Record<string, VolumeSpec>>
  readonly service: Readonly<Record<string, WantedService>>
  readonly route: Readonly<Record<string, RouteSpec>>
  /** By the name of the stack. */
  readonly policy: Readonly<Record<string, PolicySpec>>
}

export type PartKind = keyof Wanted

/** `spec.replicas` is what it is scaled to. */
export interface WantedService extends DescribedRevision {
  readonly state: ServiceRecord['state']
}

export const NOTHING_WANTED: Wanted = { secret: {}, config: {}, network: {}, volume: {}, service: {}, route: {}, policy: {} }

/** Of a service that there is. */
export function wantedService(
  { replicas, state }: Pick<ServiceRecord, 'replicas' | 'state'>,
  revision: Parameters<typeof describedRevision>[0],
): WantedService {
  return { ...describedRevision(revision), spec: { ...revision.spec, replicas }, state }
}

/** The parts of an application beside its services. */
export function wantedParts(spec: StackSpec): Omit<Wanted, 'service'> {
  return {
    secret: byName(spec.secrets),
    config: byName(spec.configs),
    network: byName(spec.networks),
    volume: byName(spec.volumes),
    route: byName((spec.routes ?? []).map((route) => ({ ...route, name: `${spec.name}/${route.name}` }))),
    policy: spec.policy === undefined ? {} : { [spec.name]: spec.policy },
  }
}

function byName<T extends { readonly name: string }>(parts: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(parts.map((part) => [part.name, part]))
}
