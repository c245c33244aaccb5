import { readdirSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'

import { during } from '#base'
import type { BlkioDeviceInput, DeviceInput } from '#engine/runtime/spec'

import { containerError } from './errors.ts'
import type { ResourceSpec, SecuritySpec } from './spec.ts'

const PERMISSION_BITS = 0o7777
/** A directory of /dev that each container has for itself. */
const OWN = new Set(['pts', 'shm', 'mqueue', 'fd', 'console', 'ptmx'])

/** Device nodes for the container: those that were asked for, or with `--privileged` all that the host has. */
export function devicesOf(security: SecuritySpec): readonly DeviceInput[] {
  const asked = security.devices.map((device) => {
    const stats = measured(device.hostPath)
    const found = deviceOf(device.containerPath, stats, device.permissions)
    if (found === undefined)
      throw containerError(
        'container.device_invalid',
        `error gathering device information: ${device.hostPath} is not a device node`,
      )
    return found
  })
  if (!security.isPrivileged) return asked
  const known = new Set(asked.map((device) => device.path))
  return [...asked, ...hostDevices('/dev').filter((device) => !known.has(device.path))]
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

function hostDevices(directory: string): readonly DeviceInput[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (OWN.has(entry.name)) return []
    if (entry.isDirectory()) return hostDevices(path)
    return entry.isCharacterDevice() || entry.isBlockDevice() ? (deviceOf(path, statSync(path), 'rwm') ?? []) : []
  })
}
