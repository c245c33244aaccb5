import { parseBytes } from '#base'

import type { FlagValues } from '../args/flags.ts'
import { cliError } from '../errors.ts'
import type { createFlags, limitFlags } from './flags.ts'

const NANO = 1e9

/** The limits that create and update share, as the API names them. */
export function limits(flags: FlagValues<typeof limitFlags>): Record<string, unknown> {
  const swap = flags['memory-swap']
  return {
    Memory: flags.memory,
    MemorySwap: swap === undefined ? undefined : swap === '-1' ? -1 : parseBytes(swap, '--memory-swap'),
    MemoryReservation: flags['memory-reservation'],
    NanoCpus: flags.cpus === undefined ? undefined : Math.round(flags.cpus * NANO),
    CpuShares: flags['cpu-shares'],
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    PidsLimit: flags['pids-limit'],
    BlkioWeight: flags['blkio-weight'],
  }
}

export function resources(flags: FlagValues<typeof createFlags>): Record<string, unknown> {
  const rates = (name: 'device-read-bps' | 'device-write-bps') =>
    flags[name].map((word) => ({ Path: deviceOf(word, name)[0], Rate: parseBytes(deviceOf(word, name)[1], `--${name}`) }))
  const counts = (name: 'device-read-iops' | 'device-write-iops') =>
    flags[name].map((word) => ({ Path: deviceOf(word, name)[0], Rate: wholeNumber(deviceOf(word, name)[1], `--${name}`) }))
  return {
    ...limits(flags),
    MemorySwappiness: flags['memory-swappiness'],
    KernelMemory: flags['kernel-memory'],
    OomKillDisable: flags['oom-kill-disable'] || undefined,
    OomScoreAdj: flags['oom-score-adj'],
    BlkioWeightDevice: flags['blkio-weight-device'].map((word) => {
      const [Path, weight] = deviceOf(word, 'blkio-weight-device')
      return { Path, Weight: wholeNumber(weight, '--blkio-weight-device') }
    }),
    BlkioDeviceReadBps: rates('device-read-bps'),
    BlkioDeviceWriteBps: rates('device-write-bps'),
    BlkioDeviceReadIOps: counts('device-read-iops'),
    BlkioDeviceWriteIOps: counts('device-write-iops'),
    ShmSize: flags['shm-size'],
    Ulimits: flags.ulimit.map(ulimit),
  }
}

function deviceOf(word: string, flag: string): readonly [path: string, value: string] {
  const at = word.lastIndexOf(':')
  if (at <= 0 || !word.startsWith('/')) throw cliError('cli.usage', `--${flag}: ${JSON.stringify(word)} is not DEVICE:VALUE`)
  return [word.slice(0, at), word.slice(at + 1)]
}

function wholeNumber(text: string, flag: string): number {
  if (!/^\d+$/.test(text)) throw cliError('cli.usage', `${flag}: ${JSON.stringify(text)} is not a whole number`)
  return Number(text)
}

function ulimit(word: string): object {
  const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(word)
  if (match === null) throw cliError('cli.usage', `--ulimit: ${JSON.stringify(word)} is not NAME=SOFT[:HARD]`)
  return { Name: match[1], Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) }
}

export function device(word: string): object {
  const [host = '', inside = host, permissions = 'rwm', ...more] = word.split(':')
  // `/dev/x:rw` gives permissions without another name.
  if (more.length === 0 && permissions === 'rwm' && /^[rwm]{1,3}$/.test(inside) && host.startsWith('/'))
    return { PathOnHost: host, PathInContainer: host, CgroupPermissions: inside }
  // A name of the Container Device Interface: vendor/class=name.
  if (/^[\w.-]+\/[\w.-]+=[\w.:-]+$/.test(word)) return { PathOnHost: word, PathInContainer: '', CgroupPermissions: '' }
  if (!host.startsWith('/') || more.length > 0 || !/^[rwm]{1,3}$/.test(permissions))
    throw cliError('cli.usage', `--device: ${JSON.stringify(word)} is not HOST[:INSIDE[:rwm]]`)
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions }
}

/** `all`, a number, or `device=0,capabilities=utility`. */
export function gpuRequests(word: string | undefined): readonly object[] {
  if (word === undefined) return []
  if (word === 'all' || /^\d+$/.test(word)) return [{ Count: word === 'all' ? -1 : Number(word), Capabilities: [['gpu']] }]
  const fields = word.split(',').map((part): [string, string] => {
    const at = part.indexOf('=')
    return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
  })
  const unknown = fields.find(([name]) => !['driver', 'count', 'device', 'capabilities', 'options'].includes(name))
  if (unknown !== undefined)
    throw cliError('cli.usage', `--gpus: ${JSON.stringify(unknown[0])} is none of driver, count, device, capabilities, options`)
  const all = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value)
  const [count] = all('count')
  return [
    {
      Driver: all('driver')[0] ?? '',
      Count: all('device').length > 0 ? 0 : count === 'all' || count === undefined ? -1 : wholeNumber(count, '--gpus'),
      DeviceIDs: all('device'),
      Capabilities: [['gpu', ...all('capabilities')]],
      Options: Object.fromEntries(all('options').map((option) => [option, ''])),
    },
  ]
}
