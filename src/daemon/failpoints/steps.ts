/**
 * The calls by which the engine changes what outlives it, by port. Between any two of them a daemon may be killed, and each is a place
 * where a test has it killed: right before the call.
 */
export const PORT_STEPS = {
  content: ['ingestLayer', 'put', 'delete'],
  snapshots: ['addLayer', 'removeLayer', 'mountContainer', 'unmountContainer', 'removeContainer', 'mountReadOnly', 'diffTar'],
  mounts: ['erofs', 'overlay', 'bind', 'tmpfs', 'unmount'],
  files: ['syncDirectory'],
  namespaces: ['createNetwork', 'removeNetwork'],
  links: ['createBridge', 'deleteLink', 'attachContainer', 'retireContainer', 'detachContainer', 'addRoute', 'setLoopbackUp'],
  nftables: ['apply'],
  netfilter: ['redirectLocal', 'forgetConnections'],
  sockets: ['reservePort', 'boundUdp', 'listeningTcp'],
  cgroups: ['kill', 'remove'],
  kernel: ['setRouteLocalnet', 'writeSysctl'],
  runtime: ['prepare', 'start', 'exec', 'pause', 'resume', 'update'],
} as const

export type PortName = keyof typeof PORT_STEPS

/** How the engine's tables are written. A name that is looked up at every start and written at the first only is not among them. */
export const RECORD_STEPS: Readonly<Record<string, readonly string[]>> = {
  container: ['put', 'delete', 'note', 'forget'],
  container_unclaimed_volume: ['put', 'delete'],
  image: ['put', 'delete'],
  image_name: ['put', 'delete'],
  image_use: ['note'],
  network: ['put', 'delete'],
  network_sandbox: ['note', 'forget'],
  volume: ['put', 'delete'],
  volume_removal: ['put', 'delete'],
  'build-cache': ['note', 'delete'],
  registry_blob: ['put'],
  commit_pause: ['note', 'forget'],
}

/** What is told when an operation is done: killed here, all of it is there, and the client knows nothing of it. */
export const EVENT_STEPS: Readonly<Record<string, readonly string[]>> = {
  container: ['create', 'start', 'kill', 'die', 'destroy', 'exec_start', 'pause', 'unpause', 'update', 'commit'],
  image: ['create', 'import', 'load', 'pull', 'tag', 'untag', 'delete'],
  network: ['connect', 'disconnect'],
  volume: ['create', 'destroy'],
}

/** Inside a call: a blob is on the disk and not visible yet; a shim is there and has started nothing yet. */
const INNER_STEPS = ['content.ingestLayer.written', 'runtime.start.connected', 'runtime.exec.connected'] as const

const named = (prefix: string, table: Readonly<Record<string, readonly string[]>>): readonly string[] =>
  Object.entries(table).flatMap(([name, steps]) => steps.map((step) => `${prefix}${name}.${step}`))

/** Every name that GLOVEBOX_FAILPOINT takes, apart from `recovery`. */
export function failpointNames(): readonly string[] {
  return [...named('', PORT_STEPS), ...INNER_STEPS, ...named('records.', RECORD_STEPS), ...named('events.', EVENT_STEPS)]
}
