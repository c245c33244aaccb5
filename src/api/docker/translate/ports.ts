import type { PortBindingSpec } from '#engine/containers'
import { isObject } from '#api/http'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

type Protocol = PortBindingSpec['protocol']

interface PortRange {
  readonly first: number
  readonly last: number
}

const MAX_PORT = 65_535

/** A request that spells out more than this is a mistake, and would make the kernel's tables crawl. */
const MAX_PUBLISHED_PORTS = 65_536

/** `80`, `80/udp`, `8000-8010/tcp` become `80/tcp`, …: one entry a port. */
export function exposedPorts(keys: readonly string[]): readonly string[] {
  return [...new Set(keys.flatMap((key) => expand(key).map(([port, protocol]) => `${port}/${protocol}`)))]
}

/** HostConfig.PortBindings: `{"80/tcp": [{"HostIp": "", "HostPort": "8000-8010"}]}`. A null or empty list exposes without publishing. */
export function portBindings(hostConfig: Reader): readonly PortBindingSpec[] {
  const raw = hostConfig.raw('PortBindings')
  if (raw === undefined || raw === null) return []
  if (!isObject(raw)) throw dockerError('docker.field_invalid', 'HostConfig.PortBindings is not an object')
  const bindings = Object.entries(raw).flatMap(([key, values]) => bindingsOf(key, values))
  if (bindings.length > MAX_PUBLISHED_PORTS)
    throw dockerError('docker.field_invalid', `HostConfig.PortBindings asks for more than ${MAX_PUBLISHED_PORTS} ports`)
  return bindings
}

function bindingsOf(key: string, values: unknown): readonly PortBindingSpec[] {
  if (values === null) return []
  if (!Array.isArray(values)) throw dockerError('docker.field_invalid', `HostConfig.PortBindings[${key}] is not a list`)
  return expand(key).flatMap(([containerPort, protocol]) =>
    values.map((value: unknown) => {
      const { HostIp: ip = '', HostPort: port = '' } = isObject(value) ? value : {}
      if (typeof ip !== 'string' || typeof port !== 'string')
        throw dockerError('docker.field_invalid', `HostConfig.PortBindings[${key}]: HostIp and HostPort are texts`)
      return { containerPort, protocol, hostIp: ip, hostPort: hostPort(port, key) }
    }),
  )
}

function hostPort(text: string, key: string): PortRange | null {
  const range = text === '' ? null : readRange(text)
  if (range === undefined)
    throw dockerError('docker.field_invalid', `invalid port specification: ${JSON.stringify(text)} for ${key}`)
  // 0 asks for any port, as an empty text does.
  return range === null || range.last === 0 ? null : range
}

function expand(key: string): readonly (readonly [port: number, protocol: Protocol])[] {
  const slash = key.indexOf('/')
  const protocol = slash === -1 ? 'tcp' : key.slice(slash + 1).toLowerCase()
  const range = readRange(slash === -1 ? key : key.slice(0, slash))
  if (range === undefined || range.first === 0)
    throw dockerError('docker.field_invalid', `invalid port specification: ${JSON.stringify(key)}`)
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')
    throw dockerError(
      'docker.field_invalid',
      `invalid port specification: ${JSON.stringify(key)}: unknown protocol ${JSON.stringify(protocol)}`,
    )
  return Array.from({ length: range.last - range.first + 1 }, (_, index) => [range.first + index, protocol] as const)
}

function readRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  return first <= last && last <= MAX_PORT ? { first, last } : undefined
}
