import type { KeyedSecretSpec, NetworkSpec, PolicySpec, StackSpec, VolumeSpec } from '#cluster/spec'

import { deriveRoutes } from './derive-routes.ts'
import { deriveService } from './derive-service.ts'
import { environmentError } from './errors.ts'
import { applicationOf, checkPattern, environmentStack } from './names.ts'
import { applySettings } from './settings.ts'
import type { EnvironmentWish, Names } from './wish.ts'

export interface Derived {
  readonly spec: StackSpec
  /** What is different without having been asked for, for people. */
  readonly notes: readonly string[]
}

/**
 * The copy of an application under another name, with nothing of its own in common with the source or with other copies: names, networks, volumes, ports, hosts. Pure.
 * Errors: `environment.name_invalid`, `environment.setting_invalid`, `environment.host_invalid`.
 */
export function deriveEnvironment(source: StackSpec, wish: EnvironmentWish): Derived {
  const notes: string[] = []
  const note = (text: string) => void notes.push(text)
  const application = applicationOf(source.name)
  const name = environmentStack(application, wish.name)
  checkPattern(wish.hostPattern)
  const names = { from: source.name, to: name }
  const quiet: StackSpec = {
    ...source,
    name,
    services: source.services.map((service) => deriveService(service, names, wish, note)),
    networks: source.networks.map((network) => deriveNetwork(network, name, note)),
    volumes: source.volumes.map((volume) => deriveVolume(volume, name, note)),
    secrets: deriveSecrets('secret', source.secrets, wish.own.secrets, { name, note }),
    configs: deriveSecrets('config', source.configs, wish.own.configs, { name, note }),
    ...(source.policy === undefined ? {} : { policy: derivePolicy(source.policy, names) }),
    ...(source.routes === undefined ? {} : { routes: deriveRoutes(source.routes, { ...wish, application }, note) }),
  }
  return { spec: applySettings(quiet, wish.settings), notes }
}

type Note = (text: string) => void

/** Names of bridges on the host: two networks cannot have one. */
const FIXED_OPTIONS = ['com.docker.network.bridge.name']

/** One of its own, whosever the source's is: on a shared one the names of the copy would answer for those of the source. */
function deriveNetwork(network: NetworkSpec, stack: string, note: Note): NetworkSpec {
  const { key, driver = 'bridge', options = {}, subnets, ...rest } = network
  const name = `${stack}_${key}`
  if (network.isExternal) {
    note(`network ${network.name}: it is somebody else's, so the environment gets one of its own`)
    return { key, name, isExternal: false, isInternal: false, subnets: [], labels: {} }
  }
  if (subnets.length > 0) note(`network ${key}: its subnet is chosen anew`)
  if (driver !== 'bridge') note(`network ${key}: a bridge here, and no ${driver}`)
  const kept = Object.entries(options).filter(([option]) => driver === 'bridge' && !FIXED_OPTIONS.includes(option))
  return {
    ...rest,
    key,
    name,
    subnets: [],
    ...(network.driver === undefined ? {} : { driver: 'bridge' }),
    ...(kept.length === 0 ? {} : { options: Object.fromEntries(kept) }),
  }
}

/** Options that name a place would lead to the very same files. */
function deriveVolume({ key, name, isExternal, driverOptions, labels }: VolumeSpec, stack: string, note: Note): VolumeSpec {
  const isPlace = Object.keys(driverOptions).length > 0 && driverOptions['type'] !== 'tmpfs'
  if (isExternal) note(`volume ${name}: it is somebody else's, so the environment gets an empty one of its own`)
  else if (isPlace) note(`volume ${key}: an empty one of its own, not at the place that its options name`)
  return {
    key,
    name: `${stack}_${key}`,
    isExternal: false,
    driverOptions: isPlace ? {} : driverOptions,
    labels: isExternal ? {} : labels,
  }
}

/** Those of the source under another hand: they go with the source, and not with the environment. */
function deriveSecrets(
  kind: 'secret' | 'config',
  parts: readonly KeyedSecretSpec[],
  own: readonly string[],
  { name, note }: { readonly name: string; readonly note: Note },
): readonly KeyedSecretSpec[] {
  const unknown = own.find((key) => !parts.some((part) => part.key === key))
  if (unknown !== undefined)
    throw environmentError(
      'environment.setting_invalid',
      `the application has no ${kind} ${unknown} that could have another value`,
      {
        hint: parts.length === 0 ? `It has no ${kind}s at all.` : `It has ${parts.map((part) => part.key).join(', ')}.`,
      },
    )
  const shared = parts.filter(({ key }) => !own.includes(key))
  if (shared.length > 0)
    note(
      `${kind}${shared.length === 1 ? '' : 's'} ${shared.map((part) => part.name).join(', ')}: used as they are, with the source`,
    )
  return parts.map((part) =>
    own.includes(part.key)
      ? { ...part, name: `${name}_${part.key}`, isExternal: false }
      : { ...part, isExternal: true, labels: {} },
  )
}

/** Where rules of the source name itself, those of the copy name the copy. */
function derivePolicy(policy: PolicySpec, { from, to }: Names): PolicySpec {
  const renamed = (who: string) => (who.startsWith(`${from}/`) ? `${to}/${who.slice(from.length + 1)}` : who)
  return { ...policy, allow: policy.allow.map((rule) => ({ ...rule, from: rule.from.map(renamed) })) }
}
