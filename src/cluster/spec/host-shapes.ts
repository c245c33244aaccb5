import type {
  DeviceRateSpec,
  DeviceSpec,
  EndpointOptions,
  HookSpec,
  HooksSpec,
  NamespaceSpec,
  RareResourceSpec,
} from './host-model.ts'
import {
  aFlag,
  aText,
  aWhole,
  listOf,
  matching,
  objectOf,
  oneOf,
  orAbsent,
  orNull,
  type Shape,
  textMap,
  texts,
} from './shapes.ts'

/** Devices, links and hooks of one task: nobody writes more by hand. */
export const MAX_DEVICES = 200

const OTHER = '(container|service):[a-zA-Z0-9][a-zA-Z0-9_.-]*'
const namespace = (...own: readonly string[]) =>
  orAbsent(matching(new RegExp(`^(${[...own, OTHER].join('|')})$`), `${own.join(', ')}, container:NAME or service:NAME`))

export const namespaces = objectOf<NamespaceSpec>({
  network: namespace('host', 'none', 'bridge'),
  pid: namespace('host'),
  ipc: namespace('host', 'none', 'private', 'shareable'),
  uts: orAbsent(oneOf('host')),
  cgroup: orAbsent(oneOf('host', 'private')),
  user: orAbsent(oneOf('host')),
})

const aPath = matching(/^\//, 'an absolute path')

export const device = objectOf<DeviceSpec>({
  hostPath: aPath,
  containerPath: aPath,
  permissions: matching(/^[rwm]{1,3}$/, 'r, w and m'),
})

export const deviceRule = matching(/^[acb] (\d{1,10}|\*):(\d{1,10}|\*) [rwm]{1,3}$/, 'a rule such as c 42:* rmw')

const hookList = listOf(
  objectOf<HookSpec>({
    command: texts,
    user: orNull(aText),
    workingDir: orNull(aText),
    environment: textMap,
    isPrivileged: aFlag,
  }),
  MAX_DEVICES,
)

export const hooks = objectOf<HooksSpec>({ postStart: hookList, preStop: hookList })

export const rareResources: { readonly [K in keyof RareResourceSpec]-?: Shape<RareResourceSpec[K]> } = {
  memorySwappiness: orAbsent(aWhole(0, 100)),
  cpuPeriodUs: orAbsent(aWhole(0)),
  cpuQuotaUs: orAbsent(aWhole(-1)),
  cpuRealtimePeriodUs: orAbsent(aWhole(0)),
  cpuRealtimeRuntimeUs: orAbsent(aWhole(0)),
  blkioWeight: orAbsent(aWhole(10, 1000)),
  blkioWeightDevices: orAbsent(
    listOf(objectOf<{ readonly path: string; readonly weight: number }>({ path: aPath, weight: aWhole(10, 1000) }), MAX_DEVICES),
  ),
  blkioDevices: orAbsent(
    listOf(
      objectOf<DeviceRateSpec>({ kind: oneOf('readBps', 'writeBps', 'readIops', 'writeIops'), path: aPath, rate: aWhole(0) }),
      MAX_DEVICES,
    ),
  ),
  isOomKillDisabled: orAbsent(aFlag),
  oomScoreAdj: orAbsent(aWhole(-1000, 1000)),
  cgroupParent: orAbsent(aText),
}

export const endpointOptions: { readonly [K in keyof EndpointOptions]-?: Shape<EndpointOptions[K]> } = {
  ipv4Address: orAbsent(aText),
  ipv6Address: orAbsent(aText),
  macAddress: orAbsent(matching(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'a MAC address')),
  gatewayPriority: orAbsent(aWhole(-1_000_000, 1_000_000)),
  linkLocalAddresses: orAbsent(texts),
  driverOptions: orAbsent(textMap),
  links: orAbsent(
    listOf(objectOf<{ readonly container: string; readonly alias: string }>({ container: aText, alias: aText }), MAX_DEVICES),
  ),
}
