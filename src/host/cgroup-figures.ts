import type { CgroupDeviceIo } from './port-cgroups.ts'

/** Lines of `key value`, as memory.stat and cpu.stat have them. */
export function parseKeyed(text: string | undefined): Readonly<Record<string, number>> {
  const pairs = (text ?? '').split('\n').flatMap((line) => {
    const [key, value] = line.split(' ', 2)
    return key === undefined || key === '' || value === undefined || !/^\d+$/.test(value) ? [] : [[key, Number(value)] as const]
  })
  return Object.fromEntries(pairs)
}

/** A single number; undefined for `max` and for a file that is not there. */
export function parseFigure(text: string | undefined): number | undefined {
  const trimmed = text?.trim()
  return trimmed !== undefined && /^\d+$/.test(trimmed) ? Number(trimmed) : undefined
}

/** v1 writes "no limit" as the largest page-aligned number of 63 bits. */
const V1_UNLIMITED = 2 ** 62

export function parseLimit(text: string | undefined): number | undefined {
  const figure = parseFigure(text)
  return figure === undefined || figure >= V1_UNLIMITED ? undefined : figure
}

/** cpuacct.usage_percpu: nanoseconds of each core. */
export function parseList(text: string | undefined): readonly number[] | undefined {
  return text?.trim().split(/\s+/).filter(Boolean).map(Number)
}

/** blkio.throttle.io_service_bytes_recursive and io_serviced_recursive: `8:0 Read 4096`. */
export function parseBlkio(bytes: string | undefined, operations: string | undefined): readonly CgroupDeviceIo[] {
  const devices = new Map<string, { read: number; write: number; reads: number; writes: number }>()
  const add = (text: string | undefined, readKey: 'read' | 'reads', writeKey: 'write' | 'writes') => {
    for (const [, device = '', operation, value] of (text ?? '').matchAll(/^(\d+:\d+) (Read|Write) (\d+)$/gm)) {
      const entry = devices.get(device) ?? { read: 0, write: 0, reads: 0, writes: 0 }
      entry[operation === 'Read' ? readKey : writeKey] += Number(value)
      devices.set(device, entry)
    }
  }
  add(bytes, 'read', 'write')
  add(operations, 'reads', 'writes')
  return [...devices].map(([device, io]) => ({
    ...numbersOf(device),
    readBytes: io.read,
    writeBytes: io.write,
    readOperations: io.reads,
    writeOperations: io.writes,
  }))
}

/** io.stat of v2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`. */
export function parseIoStat(text: string | undefined): readonly CgroupDeviceIo[] {
  return [...(text ?? '').matchAll(/^(\d+:\d+) (.*)$/gm)].map(([, device = '', rest = '']) => {
    const figures = parseKeyed(rest.replaceAll('=', ' ').replaceAll(/(\S+ \d+) /g, '$1\n'))
    return {
      ...numbersOf(device),
      readBytes: figures.rbytes ?? 0,
      writeBytes: figures.wbytes ?? 0,
      readOperations: figures.rios ?? 0,
      writeOperations: figures.wios ?? 0,
    }
  })
}

function numbersOf(device: string): { readonly major: number; readonly minor: number } {
  const [major, minor] = device.split(':').map(Number)
  return { major: major ?? 0, minor: minor ?? 0 }
}

export function total(devices: readonly CgroupDeviceIo[], figure: keyof CgroupDeviceIo): number {
  return devices.reduce((sum, device) => sum + device[figure], 0)
}
