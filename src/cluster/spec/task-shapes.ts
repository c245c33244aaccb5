import { device, deviceRule, endpointOptions, hooks, MAX_DEVICES, namespaces, rareResources } from './host-shapes.ts'
import type {
  AttachmentSpec,
  BindMountSpec,
  HealthSpec,
  LogSpec,
  MountSpec,
  ResourceSpec,
  SecuritySpec,
  TaskTemplate,
  TmpfsMountSpec,
  VolumeMountSpec,
} from './model.ts'
import {
  aDuration,
  aFlag,
  aText,
  aWhole,
  listOf,
  matching,
  objectOf,
  oneOf,
  orAbsent,
  orNull,
  textMap,
  texts,
  variantsOf,
} from './shapes.ts'

/** Mounts of one task. */
const MAX_PARTS = 1000

const bytes = orNull(aWhole(-1))

const health = objectOf<HealthSpec>({
  test: orNull(texts),
  intervalMs: orNull(aDuration),
  timeoutMs: orNull(aDuration),
  startPeriodMs: orNull(aDuration),
  startIntervalMs: orNull(aDuration),
  retries: orNull(aWhole(0)),
})

const bind = objectOf<BindMountSpec>({
  type: oneOf('bind'),
  source: matching(/^\//, 'an absolute path'),
  target: aText,
  isReadOnly: aFlag,
  createSource: aFlag,
  propagation: oneOf('private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'),
  isRecursive: orAbsent(aFlag),
  readOnly: orAbsent(oneOf('non-recursive', 'forced')),
})

const volumeMount = objectOf<VolumeMountSpec>({
  type: oneOf('volume'),
  volume: orNull(aText),
  target: aText,
  isReadOnly: aFlag,
  isNoCopy: aFlag,
  subpath: aText,
  labels: orAbsent(textMap),
})

const tmpfs = objectOf<TmpfsMountSpec>({
  type: oneOf('tmpfs'),
  target: aText,
  sizeBytes: bytes,
  mode: orNull(aWhole(0)),
  options: texts,
})

const resources = objectOf<ResourceSpec>({
  memoryBytes: bytes,
  memorySwapBytes: bytes,
  memoryReservationBytes: bytes,
  nanoCpus: orNull(aWhole(0)),
  reservedNanoCpus: orNull(aWhole(0)),
  cpuShares: orNull(aWhole(0)),
  cpusetCpus: aText,
  pidsLimit: orNull(aWhole(-1)),
  shmBytes: bytes,
  ulimits: listOf(objectOf<ResourceSpec['ulimits'][number]>({ name: aText, soft: aWhole(-1), hard: aWhole(-1) }), 100),
  ...rareResources,
})

const security = objectOf<SecuritySpec>({
  isPrivileged: aFlag,
  isReadOnlyRoot: aFlag,
  capAdd: texts,
  capDrop: texts,
  isNoNewPrivileges: aFlag,
  isSeccompUnconfined: aFlag,
  isSystemPathsUnconfined: aFlag,
  sysctls: textMap,
  seccompProfile: orAbsent(aText),
  apparmor: orAbsent(aText),
})

export const task = objectOf<TaskTemplate>({
  image: aText,
  command: orNull(texts),
  entrypoint: orNull(texts),
  environment: textMap,
  user: orNull(aText),
  additionalGroups: texts,
  workingDir: orNull(aText),
  hostname: orNull(aText),
  domainname: orNull(aText),
  labels: textMap,
  annotations: textMap,
  hasInit: aFlag,
  hasTty: aFlag,
  isStdinOpen: aFlag,
  stopSignal: orNull(aText),
  stopGracePeriodMs: orNull(aDuration),
  expose: texts,
  health: orNull(health),
  mounts: listOf(variantsOf<MountSpec>({ bind, volume: volumeMount, tmpfs }), MAX_PARTS),
  networks: listOf(objectOf<AttachmentSpec>({ network: aText, aliases: texts, ...endpointOptions }), 100),
  dns: texts,
  dnsSearch: texts,
  dnsOptions: texts,
  extraHosts: texts,
  resources,
  security,
  log: objectOf<LogSpec>({ driver: oneOf('', 'json-file', 'local', 'none'), options: textMap }),
  namespaces: orAbsent(namespaces),
  devices: orAbsent(listOf(device, MAX_DEVICES)),
  deviceCgroupRules: orAbsent(listOf(deviceRule, MAX_DEVICES)),
  hooks: orAbsent(hooks),
  restartsWith: orAbsent(textMap),
})
