import type { ReadContext } from './context.ts'
import type { Field } from './fields.ts'
import type { BuildSpec, WatchRule } from './build-model.ts'
import type { NetworkSpec, ServiceSpec, StackSpec, VolumeSpec } from './model.ts'
import { hostPath } from './paths.ts'
import { readBuild } from './read-build.ts'
import { readDependencies, readService } from './read-service.ts'
import { readWatch } from './read-watch.ts'
import { withoutNulls } from './read-resources.ts'

const TOP_FIELDS = ['version', 'name', 'services', 'networks', 'volumes', 'secrets', 'configs']

export interface StackInput {
  readonly name: string
  readonly directory: string
  readonly configFiles: readonly string[]
  readonly profiles: readonly string[]
  readonly lookup: ReadContext['lookup']
  readonly readFile: ReadContext['readFile']
}

/** The model, and what concerns the client alone: by service, how its image is built and what is watched for development. */
export interface StackReading {
  readonly spec: StackSpec
  readonly builds: Readonly<Record<string, BuildSpec>>
  readonly watches: Readonly<Record<string, readonly WatchRule[]>>
}

/** Turns a checked and interpolated file into the model. Reports everything that it cannot do. */
export function readStack(file: Field, input: StackInput): StackReading {
  file.only(TOP_FIELDS)
  const volumes = file
    .child('volumes')
    .entries()
    .map(([key, volume]) => readVolume(key, volume, input.name))
  const networks = file
    .child('networks')
    .entries()
    .map(([key, network]) => readNetwork(key, network, input.name))
  const context: ReadContext = {
    stackName: input.name,
    directory: input.directory,
    lookup: input.lookup,
    readFile: input.readFile,
    networks: networks.map((network) => network.key),
    volumes: volumes.map((volume) => volume.key),
    secretFiles: readFiles(file.child('secrets'), input, ['file', 'environment', 'name', 'labels']),
    configFiles: readFiles(file.child('configs'), input, ['file', 'name', 'labels']),
    secretVariables: readVariables(file.child('secrets')),
  }
  const services = readServices(file.child('services'), context, input.profiles)
  if (services.length === 0)
    file.child('services').refuse('no service is left to run: the file has none, or none of an enabled profile')
  const usesDefault = services.some((service) => service.task.networks.some((attachment) => attachment.network === 'default'))
  const isDeclared = networks.some((network) => network.key === 'default')
  const fallback = usesDefault && !isDeclared ? [defaultNetwork(input.name)] : []
  const spec = {
    name: input.name,
    workingDir: input.directory,
    configFiles: input.configFiles,
    services,
    networks: [...fallback, ...networks],
    volumes,
    secrets: [],
    configs: [],
  }
  const fields = services.map(({ name }) => [name, file.child('services').child(name)] as const)
  const builds = fields.flatMap(([name, service]) => {
    const build = readBuild(service.child('build'), context)
    return build === null ? [] : [[name, build] as const]
  })
  const watches = fields.flatMap(([name, service]) => {
    const rules = readWatch(service.child('develop'), context)
    return rules.length === 0 ? [] : [[name, rules] as const]
  })
  return { spec, builds: Object.fromEntries(builds), watches: Object.fromEntries(watches) }
}

function defaultNetwork(stackName: string): NetworkSpec {
  return { key: 'default', name: `${stackName}_default`, isExternal: false, isInternal: false, subnets: [], labels: {} }
}

function readServices(section: Field, context: ReadContext, profiles: readonly string[]): readonly ServiceSpec[] {
  const all = section.entries()
  const enabled = all.filter(([, service]) => {
    const wanted = service.child('profiles').texts()
    return wanted.length === 0 || profiles.includes('*') || wanted.some((profile) => profiles.includes(profile))
  })
  const awaited = new Set(
    enabled
      .flatMap(([, service]) => readDependencies(service.child('depends_on')))
      .filter((dependency) => dependency.condition === 'completed_successfully')
      .map((dependency) => dependency.service),
  )
  const names = enabled.map(([name]) => name)
  const services = enabled.map(([name, service]) => {
    const spec = readService(name, service, context, awaited.has(name))
    const dependsOn = readDependencies(service.child('depends_on')).flatMap(({ service: other, condition, isRequired }) => {
      if (names.includes(other)) return [{ service: other, condition }]
      const why = all.some(([known]) => known === other)
        ? 'which is in a profile that is not enabled'
        : 'which the file does not have'
      if (isRequired !== false) service.child('depends_on').refuse(`depends on service "${other}", ${why}`)
      return []
    })
    return { ...spec, dependsOn }
  })
  reportCycle(section, services)
  return services
}

function reportCycle(section: Field, services: readonly ServiceSpec[]): void {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): boolean => {
    if (path.includes(name)) {
      const cycle = [...path.slice(path.indexOf(name)), name].join(' → ')
      section.child(name).child('depends_on').refuse(`depends on itself: ${cycle}`)
      return true
    }
    if (done.has(name)) return false
    done.add(name)
    const service = services.find((candidate) => candidate.name === name)
    return (service?.dependsOn ?? []).some((dependency) => visit(dependency.service, [...path, name]))
  }
  services.some((service) => visit(service.name, []))
}

function readVolume(key: string, volume: Field, stackName: string): VolumeSpec {
  volume.only(['name', 'external', 'driver', 'driver_opts', 'labels'])
  const driver = volume.child('driver')
  if (driver.isPresent && driver.text() !== 'local')
    driver.refuse(`volume driver ${JSON.stringify(driver.value)} is not supported yet: use local`)
  const isExternal = volume.child('external').flag() ?? false
  return {
    key,
    name: volume.child('name').text() ?? (isExternal ? key : `${stackName}_${key}`),
    isExternal,
    driverOptions: withoutNulls(volume.child('driver_opts').pairs()),
    labels: withoutNulls(volume.child('labels').pairs()),
  }
}

function readNetwork(key: string, network: Field, stackName: string): NetworkSpec {
  network.only(['name', 'external', 'driver', 'internal', 'labels', 'ipam', 'attachable'])
  const driver = network.child('driver')
  if (driver.isPresent && driver.text() !== 'bridge')
    driver.refuse(`network driver ${JSON.stringify(driver.value)} is not supported yet: use bridge`)
  const ipam = network.child('ipam')
  ipam.only(['driver', 'config'])
  ipam.child('driver').oneOf(['default'])
  const subnets = ipam
    .child('config')
    .items()
    .flatMap((item) => {
      item.only(['subnet', 'gateway'])
      const subnet = item.child('subnet').text()
      return subnet === null ? [] : [{ subnet, gateway: item.child('gateway').text() }]
    })
  const isExternal = network.child('external').flag() ?? false
  return {
    key,
    name: network.child('name').text() ?? (isExternal ? key : `${stackName}_${key}`),
    isExternal,
    isInternal: network.child('internal').flag() ?? false,
    subnets,
    labels: withoutNulls(network.child('labels').pairs()),
  }
}

/** `secrets` and `configs` that are files. */
function readFiles(section: Field, input: StackInput, fields: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    section.entries().flatMap(([name, item]) => {
      item.only(fields)
      const file = item.child('file').text()
      return file === null ? [] : [[name, hostPath(input, file)] as const]
    }),
  )
}

/** `secrets` that are variables. */
function readVariables(section: Field): Readonly<Record<string, string>> {
  return Object.fromEntries(
    section.entries().flatMap(([name, item]) => {
      const variable = item.child('environment').text()
      return variable === null ? [] : [[name, variable] as const]
    }),
  )
}
