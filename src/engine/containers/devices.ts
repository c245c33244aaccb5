import { readdirSync, statSync, type Stats } from 'node:fs'
import { join, relative } from 'node:path'

import { during } from '#base'
import type { BlkioDeviceInput, DeviceInput } from '#engine/runtime/spec'

import { containerError } from './errors.ts'
import type { ResourceSpec, SecuritySpec } from './spec.ts'

const PERMISSION_BITS = 0o7777
/** A directory of /dev that each container has for itself. */
const OWN = new Set(['pts', 'shm', 'mqueue', 'fd', 'console', 'ptmx'])

/** Device nodes for the container: those that were asked for, or with `--privileged` all that the host has. */
export function devicesOf(security: SecuritySpec): readonly DeviceInput[] {
  const asked = security.devices.flatMap((device) => {
    const stats = measured(device.hostPath)
    const found = stats.isDirectory() ? devicesBelow(device) : [deviceOf(device.containerPath, stats, device.permissions) ?? []]
    if (found.flat().length === 0)
      throw containerError(
        'container.device_invalid',
        `error gathering device information while adding custom device "${device.hostPath}": not a device node`,
      )
    return found.flat()
  })
  if (!security.isPrivileged) return asked
  const known = new Set(asked.map((device) => device.path))
  return [...asked, ...hostDevices('/dev').filter((device) => !known.has(device.path))]
}

/** A directory stands for all devices in it, at any depth, under the same names. */
function devicesBelow({ hostPath, containerPath, permissions }: SecuritySpec['devices'][number]): readonly DeviceInput[] {
  const found = hostDevices(hostPath, new Set())
  return found.map((device) => ({ ...device, path: join(containerPath, relative(hostPath, device.path)), permissions }))
}

export function weightedDevices(weights: ResourceSpec['blkioWeightDevices']) {
  return (weights ?? []).map(({ path, weight }) => ({ weight, ...numbersOf(measured(path)) }))
}

export function throttledDevices(rates: ResourceSpec['blkioDevices']): readonly BlkioDeviceInput[] {
  return rates.map(({ kind, path, rate }) => {
    const stats = measured(path)
    return { kind, rate, ...numbersOf(stats) }
  })
}

function measured(path: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw during(
      `device ${path}`,
      containerError(
        'container.device_invalid',
        `error gathering device information while adding custom device "${path}": no such file or directory`,
        { cause: error },
      ),
    )
  }
}

function deviceOf(path: string, stats: Stats, permissions: string): DeviceInput | undefined {
  const type = stats.isCharacterDevice() ? 'c' : stats.isBlockDevice() ? 'b' : undefined
  if (type === undefined) return undefined
  return {
    path,
    type,
    ...numbersOf(stats),
    fileMode: stats.mode & PERMISSION_BITS,
    uid: stats.uid,
    gid: stats.gid,
    permissions: permissions === '' ? 'rwm' : permissions,
  }
}

/** glibc's encoding of dev_t: makedev(3). */
function numbersOf({ rdev }: Stats): { readonly major: number; readonly minor: number } {
  const number = BigInt(rdev)
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)),
    minor: Number((number & 0xffn) | ((number >> 12n) & ~0xffn)),
  }
}

function hostDevices(directory: string, leftOut: ReadonlySet<string> = OWN): readonly DeviceInput[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (leftOut.has(entry.name)) return []
    if (entry.isDirectory()) return hostDevices(path, leftOut)
    return entry.isCharacterDevice() || entry.isBlockDevice() ? (deviceOf(path, statSync(path), 'rwm') ?? []) : []
  })
}
