import { type Field, withoutNulls } from './fields.ts'
import type { DeviceRateSpec, DeviceSpec, HookSpec, HooksSpec, NamespaceSpec, RareResourceSpec } from './host-model.ts'
import type { TaskTemplate } from './model.ts'
import { readCommand } from './read-command.ts'

/** What a task has of its host beside what every task has. Absent where nothing is said. */
export function readHost(service: Field): Pick<TaskTemplate, 'namespaces' | 'devices' | 'deviceCgroupRules' | 'hooks'> {
  const namespaces = readNamespaces(service)
  const devices = service.child('devices').items().flatMap(readDevice)
  const rules = service.child('device_cgroup_rules').items().flatMap(readRule)
  const hooks = readHooks(service)
  return {
    ...(Object.keys(namespaces).length === 0 ? {} : { namespaces }),
    ...(devices.length === 0 ? {} : { devices }),
    ...(rules.length === 0 ? {} : { deviceCgroupRules: rules }),
    ...(hooks === null ? {} : { hooks }),
  }
}

function readNamespaces(service: Field): NamespaceSpec {
  const network = shared(service.child('network_mode'), ['host', 'none', 'bridge'])
  const pid = shared(service.child('pid'), ['host'])
  const ipc = shared(service.child('ipc'), ['host', 'none', 'private', 'shareable'])
  const uts = service.child('uts').oneOf(['host'])
  const cgroup = service.child('cgroup').oneOf(['host', 'private'])
  const user = service.child('userns_mode').oneOf(['host'])
  if (network !== null && service.child('networks').isPresent)
    service.child('network_mode').refuse('"network_mode" and "networks" exclude each other')
  if (network !== null && network !== 'bridge' && service.child('ports').isPresent)
    service.child('ports').refuse(`ports cannot be published with "network_mode: ${network}"`)
  return {
    ...(network === null ? {} : { network }),
    ...(pid === null ? {} : { pid }),
    ...(ipc === null ? {} : { ipc }),
    ...(uts === null ? {} : { uts }),
    ...(cgroup === null ? {} : { cgroup }),
    ...(user === null ? {} : { user }),
  }
}

/** One of the own words, or `service:NAME` and `container:NAME`. */
function shared(mode: Field, own: readonly string[]): string | null {
  const text = mode.text()
  if (text === null || own.includes(text) || /^(?:service|container):[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)) return text
  mode.refuse(`${JSON.stringify(text)} is not one of ${[...own, 'service:NAME', 'container:NAME'].join(', ')}`)
  return null
}

/** `host[:container[:rwm]]`, or the long form. */
function readDevice(item: Field): readonly DeviceSpec[] {
  if (item.isMapping()) item.only(['source', 'target', 'permissions'])
  const parts = item.isMapping()
    ? [item.child('source').text(), item.child('target').text(), item.child('permissions').text()]
    : (item.text() ?? '').split(':')
  const [hostPath = null, second = null, third = null] = parts
  // `/dev/sda:r` is host path and permissions.
  const isShort = third === null && second !== null && /^[rwm]{1,3}$/.test(second)
  const [containerPath, permissions] = isShort ? [hostPath, second] : [second ?? hostPath, third ?? 'rwm']
  if (hostPath === null) return []
  if (
    containerPath === null ||
    !hostPath.startsWith('/') ||
    !containerPath.startsWith('/') ||
    !/^[rwm]{1,3}$/.test(permissions)
  ) {
    item.refuse(`device ${JSON.stringify(item.value)} is not HOST[:CONTAINER[:rwm]] with absolute paths`)
    return []
  }
  return [{ hostPath, containerPath, permissions }]
}

function readRule(item: Field): readonly string[] {
  const text = item.text() ?? ''
  if (/^[acb] (\d{1,10}|\*):(\d{1,10}|\*) [rwm]{1,3}$/.test(text)) return [text]
  item.refuse(`${JSON.stringify(text)} is not a rule of devices such as "c 42:* rmw"`)
  return []
}

function readHooks(service: Field): HooksSpec | null {
  const postStart = service.child('post_start').items().flatMap(readHook)
  const preStop = service.child('pre_stop').items().flatMap(readHook)
  return postStart.length + preStop.length === 0 ? null : { postStart, preStop }
}

function readHook(item: Field): readonly HookSpec[] {
  item.only(['command', 'user', 'privileged', 'working_dir', 'environment'])
  const command = readCommand(item.child('command')) ?? []
  if (command.length === 0) item.refuse('a hook needs a "command"')
  return [
    {
      command,
      user: item.child('user').text(),
      workingDir: item.child('working_dir').text(),
      environment: withoutNulls(item.child('environment').pairs()),
      isPrivileged: item.child('privileged').flag() ?? false,
    },
  ]
}

export function readRareResources(service: Field): RareResourceSpec {
  const blkio = service.child('blkio_config')
  const whole = (field: Field, min: number, max: number) => field.whole({ min, max })
  const all = {
    memorySwappiness: whole(service.child('mem_swappiness'), 0, 100),
    cpuPeriodUs: microseconds(service.child('cpu_period')),
    cpuQuotaUs: microseconds(service.child('cpu_quota')),
    cpuRealtimePeriodUs: microseconds(service.child('cpu_rt_period')),
    cpuRealtimeRuntimeUs: microseconds(service.child('cpu_rt_runtime')),
    blkioWeight: whole(blkio.child('weight'), 10, 1000),
    blkioWeightDevices: readWeights(blkio.child('weight_device')),
    blkioDevices: readRates(blkio),
    isOomKillDisabled: service.child('oom_kill_disable').flag(),
    oomScoreAdj: whole(service.child('oom_score_adj'), -1000, 1000),
    cgroupParent: service.child('cgroup_parent').text(),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

/** A number of them, or a duration. */
function microseconds(field: Field): number | null {
  if (typeof field.value === 'string' && !/^-?\d+$/.test(field.value)) {
    const ms = field.durationMs()
    return ms === null ? null : Math.round(ms * 1000)
  }
  return field.whole({ min: -1 })
}

function readWeights(weights: Field): RareResourceSpec['blkioWeightDevices'] | null {
  const read = weights.items().flatMap((item) => {
    const [path, weight] = [item.child('path').text(), item.child('weight').whole({ min: 10, max: 1000 })]
    return path === null || weight === null ? [] : [{ path, weight }]
  })
  return read.length === 0 ? null : read
}

const RATES = [
  ['device_read_bps', 'readBps'],
  ['device_write_bps', 'writeBps'],
  ['device_read_iops', 'readIops'],
  ['device_write_iops', 'writeIops'],
] as const

function readRates(blkio: Field): readonly DeviceRateSpec[] | null {
  const read = RATES.flatMap(([name, kind]) =>
    blkio
      .child(name)
      .items()
      .flatMap((item) => {
        const path = item.child('path').text()
        const rate = kind.endsWith('Bps') ? item.child('rate').bytes() : item.child('rate').whole()
        return path === null || rate === null ? [] : [{ kind, path, rate }]
      }),
  )
  return read.length === 0 ? null : read
}
