import type { JsonObject } from '#api/http'
import type { ContainerRecord, ContainerSpec, LogSpec } from '#engine/containers'
import type { ImageRecord } from '#engine/images'
import { readLogDriver } from '#engine/logs'

import type { LimitSupport } from '../engine.ts'
import { dockerError } from '../errors.ts'
import { CREATE_BODY } from './create-fields.ts'
import { refuseOtherFields } from './fields.ts'
import { healthSpec } from './health.ts'
import { mountSpecs } from './mounts.ts'
import { namespaceSpec } from './namespaces.ts'
import { networkingSpec, networkingWarnings } from './networking.ts'
import { exposedPorts } from './ports.ts'
import { processSpec } from './process.ts'
import { readerOf, type Reader } from './read.ts'
import { limitsWithin } from './limits-within.ts'
import { resourceSpec } from './resources.ts'
import { restartPolicy } from './restart.ts'
import { securitySpec } from './security.ts'

/** What the translation has to know besides the request. */
export interface CreateSurroundings {
  readonly image: ImageRecord
  /** 44 for a client that speaks 1.44. */
  readonly minor: number
  readonly cpus: number
  readonly runtimes: readonly string[]
  /** Whether the kernel confines by AppArmor's profiles; left out: it does not. */
  readonly hasAppArmor?: boolean
  /** Left out: everything can be limited. */
  readonly support?: LimitSupport
  /** For `container:` modes and VolumesFrom. Error: `container.not_found`. */
  readonly containerOf: (ref: string) => ContainerRecord
}

export interface CreateRequest {
  readonly spec: ContainerSpec
  readonly warnings: readonly string[]
}

const DEFAULT_STOP_SIGNAL = 'SIGTERM'
const DEFAULT_STOP_TIMEOUT_S = 10

/** The reference of the image that the request wants. Error: `docker.field_invalid`. */
export function imageOf(body: JsonObject): string {
  const image = readerOf(body).text('Image')
  if (image === '') throw dockerError('docker.field_invalid', 'no image specified: Image is empty')
  return image
}

/** POST /containers/create, with the image's configuration merged in. Refuses by name what cannot be obeyed. Throws errors of kind invalid and unsupported only (and what `containerOf` throws). */
export function createSpec(json: JsonObject, around: CreateSurroundings): CreateRequest {
  refuseOtherFields(json, CREATE_BODY)
  const body = readerOf(json)
  const hostConfig = body.inner('HostConfig')
  const { image, containerOf } = around
  refuseRuntime(hostConfig, around.runtimes)
  refuseStorageOptions(hostConfig)
  refuseDeviceRequests(hostConfig)
  const restart = restartPolicy(hostConfig.inner('RestartPolicy'))
  if (hostConfig.bool('AutoRemove') && restart.name !== 'no')
    throw dockerError('docker.option_conflict', "can't create 'AutoRemove' container with restart policy")
  const limits = limitsWithin(resourceSpec(hostConfig, around), around.support)
  const network = networkingSpec(body, hostConfig, around.minor, containerOf)
  const spec: ContainerSpec = {
    image: imageOf(json),
    imageId: image.id,
    platform: image.os || 'linux',
    process: processSpec(body, hostConfig, image.config),
    hostname: hostname(body.text('Hostname')),
    domainname: body.text('Domainname'),
    labels: { ...image.config.labels, ...body.textMap('Labels') },
    annotations: hostConfig.textMap('Annotations'),
    health: healthSpec(body.innerOrNull('Healthcheck'), image.config.healthcheck),
    stopSignal: body.text('StopSignal') || image.config.stopSignal || DEFAULT_STOP_SIGNAL,
    stopTimeoutS: stopTimeout(body.int('StopTimeout')),
    exposedPorts: exposedPorts([...image.config.exposedPorts, ...body.keys('ExposedPorts'), ...published(network)]),
    mounts: mountSpecs(body, hostConfig, image.config.volumes, containerOf),
    network,
    resources: limits.resources,
    security: securitySpec(hostConfig, around.hasAppArmor ?? false),
    namespaces: namespaceSpec(body, hostConfig, containerOf),
    restart,
    shouldAutoRemove: hostConfig.bool('AutoRemove'),
    hasInit: hostConfig.bool('Init'),
    log: logSpec(hostConfig.inner('LogConfig')),
  }
  const warnings = [
    ...kernelMemoryWarnings(hostConfig, around.minor),
    ...limits.warnings,
    ...networkingWarnings(hostConfig, network.mode),
  ]
  return { spec, warnings }
}

function published(network: ContainerSpec['network']): readonly string[] {
  return network.portBindings.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`)
}

/** hostname(7): letters, digits, hyphens and dots; the kernel holds 64 bytes. */
function hostname(text: string): string {
  if (text === '') return text
  if (text.length > 63 || !/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(text))
    throw dockerError('docker.field_invalid', `invalid hostname format: ${text}`)
  return text
}

function stopTimeout(seconds: number | null): number {
  if (seconds !== null && seconds < -1)
    throw dockerError('docker.field_invalid', `StopTimeout: ${seconds} is below -1 (which waits for ever)`)
  return seconds ?? DEFAULT_STOP_TIMEOUT_S
}

function refuseRuntime(hostConfig: Reader, runtimes: readonly string[]): void {
  const runtime = hostConfig.text('Runtime')
  if (runtime !== '' && !runtimes.includes(runtime))
    throw dockerError('docker.field_invalid', `unknown or invalid runtime name: ${runtime}`, {
      hint: `Known are ${runtimes.join(', ')}.`,
    })
  const isolation = hostConfig.text('Isolation')
  if (isolation !== '' && isolation !== 'default')
    throw dockerError('docker.field_invalid', `invalid isolation "${isolation}" on linux`)
}

/** Sizes of writable layers: the layers are not on a file system that counts by project. */
function refuseStorageOptions(hostConfig: Reader): void {
  const [name] = Object.keys(hostConfig.textMap('StorageOpt'))
  if (name !== undefined)
    throw dockerError(
      'docker.option_unsupported',
      `HostConfig.StorageOpt ${name}: --storage-opt is supported only for overlay over xfs with 'pquota' mount option`,
      { hint: 'Leave it out. A volume or a tmpfs of a given size can take what must be bounded.' },
    )
}

/** `--gpus`, and `--device VENDOR/CLASS=NAME`. */
function refuseDeviceRequests(hostConfig: Reader): void {
  const [request] = hostConfig.list('DeviceRequests')
  if (request === undefined) return
  const driver = request.text('Driver')
  const devices = request.texts('DeviceIDs', [])
  if (driver === 'cdi')
    throw dockerError(
      'docker.option_unsupported',
      `CDI device injection failed: unresolvable CDI devices ${devices.join(', ')} (devices of the Container Device Interface are not supported)`,
    )
  const wanted = request.raw('Capabilities')
  const capabilities = Array.isArray(wanted) ? wanted.map((set) => `[${Array.isArray(set) ? set.join(' ') : ''}]`).join(' ') : ''
  throw dockerError(
    'docker.option_unsupported',
    `could not select device driver ${JSON.stringify(driver)} with capabilities: [${capabilities}] (GPUs are not supported)`,
  )
}

/** The last version of the API that has the field. */
const LAST_MINOR_WITH_KERNEL_MEMORY = 41

/** The kernel ignores this limit since 5.4. */
function kernelMemoryWarnings(hostConfig: Reader, minor: number): readonly string[] {
  const isAsked = (hostConfig.int('KernelMemory') ?? 0) > 0 || (hostConfig.int('KernelMemoryTCP') ?? 0) > 0
  return isAsked && minor <= LAST_MINOR_WITH_KERNEL_MEMORY
    ? ['Your kernel does not support kernel memory limit capabilities or the cgroup is not mounted. Limitation discarded.']
    : []
}

/** Without a driver what the daemon says counts. Error: `log.driver_unsupported`. */
function logSpec(config: Reader): LogSpec {
  const name = config.text('Type')
  return { driver: name === '' ? '' : readLogDriver(name), options: config.textMap('Config') }
}
