import type { BuildSpec, WatchRule } from './build-model.ts'
import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import type { NetworkSpec, ServiceSpec, StackSpec, VolumeSpec } from './model.ts'
import { readBuild } from './read-build.ts'
import { readNetwork } from './read-networks.ts'
import { readExternal, readSecret, type ReadSecret } from './read-secrets.ts'
import { readPolicy } from './read-policy.ts'
import { readRoutes } from './read-routes.ts'
import { readServices } from './read-services.ts'
import { readWatch } from './read-watch.ts'
import type { KeyedSecretSpec, ValueSource } from './secret-model.ts'

const TOP_FIELDS = ['version', 'name', 'services', 'networks', 'volumes', 'secrets', 'configs']

export interface StackInput {
  readonly name: string
  readonly directory: string
  readonly configFiles: readonly string[]
  readonly profiles: readonly string[]
  readonly readFile: ReadContext['readFile']
}

/** The model, and what concerns the client alone: by service, how its image is built and what is watched for development. */
export interface StackReading {
  readonly spec: StackSpec
  readonly builds: Readonly<Record<string, BuildSpec>>
  readonly watches: Readonly<Record<string, readonly WatchRule[]>>
  readonly pullPolicies: Readonly<Record<string, PullPolicy>>
  /** By service: those whose change makes new tasks of it; `tieRestarts` writes it into the model. */
  readonly restarts: Readonly<Record<string, readonly string[]>>
  /** Every profile that a service of the files is in, enabled or not. */
  readonly profileNames: readonly string[]
  /** Services whose log is not shown while one works on the application. */
  readonly unattached: readonly string[]
  /** Where the values of secrets and configs come from, by key. */
  readonly values: SecretValues
}

/** `missing`: when it is not here. `build`: it is built, and never pulled. */
export type PullPolicy = 'always' | 'never' | 'missing' | 'build'

export interface SecretValues {
  readonly secrets: Readonly<Record<string, ValueSource>>
  readonly configs: Readonly<Record<string, ValueSource>>
}

/** Turns a checked and interpolated file into the model. Reports everything that it cannot do. */
export function readStack(file: Field, input: StackInput): StackReading {
  file.only(TOP_FIELDS, { models: 'nothing here runs models' })
  const named = <T>(name: string, read: (key: string, item: Field) => T) =>
    file
      .child(name)
      .entries()
      .map(([key, item]) => read(key, item))
  const volumes = named('volumes', (key, volume) => readVolume(key, volume, input.name))
  const networks = named('networks', (key, network) => readNetwork(key, network, input.name))
  const secrets = named('secrets', (key, item) => readSecret('secret', key, item, input.name))
  const configs = named('configs', (key, item) => readSecret('config', key, item, input.name))
  const context: ReadContext = {
    stackName: input.name,
    readFile: input.readFile,
    networks: networks.map((network) => network.key),
    volumes: volumes.map((volume) => volume.key),
    secrets: sourcesOf(secrets),
    configs: sourcesOf(configs),
  }
  const { services, restarts } = readServices(file, context, input.profiles)
  if (services.length === 0)
    file.child('services').refuse('no service is left to run: the file has none, or none of an enabled profile')
  const usesDefault = services.some((service) => service.task.networks.some((attachment) => attachment.network === 'default'))
  const isDeclared = networks.some((network) => network.key === 'default')
  const names = services.map(({ name }) => name)
  const routes = readRoutes(file, names)
  const attached = [...networks.map(({ key }) => key), ...(usesDefault && !isDeclared ? ['default'] : [])]
  const policy = readPolicy(file.child('x-glovebox').child('policy'), names, attached)
  const spec = {
    name: input.name,
    workingDir: input.directory,
    configFiles: input.configFiles,
    services,
    networks: [...(usesDefault && !isDeclared ? [defaultNetwork(input.name)] : []), ...networks],
    volumes,
    ...grantedOf(services, secrets, configs),
    ...(policy === undefined ? {} : { policy }),
    ...(routes.length === 0 ? {} : { routes }),
  }
  const fields = services.map(({ name }) => [name, file.child('services').child(name)] as const)
  return {
    spec,
    restarts,
    builds: perService(fields, (service) => readBuild(service.child('build'), context)),
    watches: perService(fields, (service) => listOrNull(readWatch(service.child('develop')))),
    pullPolicies: perService(fields, readPullPolicy),
    profileNames: profilesOf(file.child('services')),
    unattached: fields.flatMap(([name, service]) => (service.child('attach').flag() === false ? [name] : [])),
    values: {
      secrets: valuesOf(secrets, spec.secrets),
      configs: valuesOf(configs, spec.configs),
    },
  }
}

function profilesOf(services: Field): readonly string[] {
  return [...new Set(services.entries().flatMap(([, service]) => service.child('profiles').texts()))].toSorted()
}

function perService<T>(
  fields: readonly (readonly [string, Field])[],
  read: (service: Field) => T | null,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    fields.flatMap(([name, service]) => {
      const value = read(service)
      return value === null ? [] : [[name, value] as const]
    }),
  )
}

function listOrNull<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items
}

function sourcesOf(secrets: readonly ReadSecret[]): ReadContext['secrets'] {
  return Object.fromEntries(secrets.map(({ spec, source }) => [spec.key, source]))
}

/** Those that a task is given. What only builds see is not the cluster's. */
function grantedOf(
  services: readonly ServiceSpec[],
  secrets: readonly ReadSecret[],
  configs: readonly ReadSecret[],
): Pick<StackSpec, 'secrets' | 'configs'> {
  const granted = (name: 'secrets' | 'configs') =>
    new Set(services.flatMap((service) => service[name].map(({ secret }) => secret)))
  const [given, written] = [granted('secrets'), granted('configs')]
  return {
    secrets: secrets.map(({ spec }) => spec).filter(({ key }) => given.has(key)),
    configs: configs.map(({ spec }) => spec).filter(({ key }) => written.has(key)),
  }
}

function valuesOf(read: readonly ReadSecret[], wanted: readonly KeyedSecretSpec[]): Readonly<Record<string, ValueSource>> {
  const keys = wanted.map(({ key }) => key)
  return Object.fromEntries(
    read.flatMap(({ spec, source }) => (source === null || !keys.includes(spec.key) ? [] : [[spec.key, source] as const])),
  )
}

function readPullPolicy(service: Field): PullPolicy | null {
  const policy = service.child('pull_policy')
  const text = policy.text()
  if (text === null) return null
  if (text === 'build' && !service.child('build').isPresent) policy.refuse('"pull_policy: build" needs a "build"')
  if (text === 'if_not_present') return 'missing'
  const known = PULL_POLICIES.find((name) => name === text)
  if (known === undefined) policy.refuse(`"pull_policy" ${text} is not supported: use ${PULL_POLICIES.join(', ')}`)
  return known ?? null
}

const PULL_POLICIES = ['always', 'never', 'missing', 'build'] as const

function defaultNetwork(stackName: string): NetworkSpec {
  return { key: 'default', name: `${stackName}_default`, isExternal: false, isInternal: false, subnets: [], labels: {} }
}

function readVolume(key: string, volume: Field, stackName: string): VolumeSpec {
  volume.only(['name', 'external', 'driver', 'driver_opts', 'labels'])
  const driver = volume.child('driver')
  if (driver.isPresent && driver.text() !== 'local')
    driver.refuse(`volume driver ${JSON.stringify(driver.value)} is not supported: use local`)
  const { isExternal, name } = readExternal(volume)
  return {
    key,
    name: name ?? (isExternal ? key : `${stackName}_${key}`),
    isExternal,
    driverOptions: withoutNulls(volume.child('driver_opts').pairs()),
    labels: withoutNulls(volume.child('labels').pairs()),
  }
}
