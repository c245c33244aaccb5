import type { Field } from './fields.ts'
import type { ServicePortSpec } from './model.ts'

/** A range beyond this is a mistake and not a wish. */
const MAX_RANGE = 1000

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const

export function readPorts(ports: Field): readonly ServicePortSpec[] {
  return ports.items().flatMap((item) => (item.isMapping() ? readLongPort(item) : readShortPort(item)))
}

/** `[[ip:]host[-host]:]container[-container][/protocol]`; IPv6 addresses stand in brackets. */
function readShortPort(item: Field): readonly ServicePortSpec[] {
  const text = item.text()
  if (text === null) return []
  const match = /^(?:(?:(\[[0-9a-fA-F:.]+\]|[0-9.]+):)?([0-9-]*):)?([0-9-]+)(?:\/([a-z]+))?$/.exec(text)
  const protocol = PROTOCOLS.find((known) => known === (match?.[4] ?? 'tcp'))
  const inside = parseRange(match?.[3])
  const outside = match?.[2] === undefined || match[2] === '' ? null : parseRange(match[2])
  if (match === null || protocol === undefined || inside === undefined || outside === undefined) {
    item.refuse(`"ports" entry ${JSON.stringify(text)} is not [[ip:]host:]container[/protocol] with ports from 1 to 65535`)
    return []
  }
  if (outside !== null && outside.length !== inside.length) {
    item.refuse(`"ports" entry ${JSON.stringify(text)} has ${outside.length} host ports for ${inside.length} container ports`)
    return []
  }
  const hostIp = (match[1] ?? '').replace(/^\[(.*)\]$/, '$1')
  return inside.map((containerPort, index) => port({ containerPort, protocol, hostIp, published: outside?.[index] ?? null }))
}

function readLongPort(item: Field): readonly ServicePortSpec[] {
  item.only(['target', 'published', 'protocol', 'host_ip', 'mode', 'app_protocol', 'name'])
  const containerPort = item.child('target').whole({ min: 1, max: 65_535 })
  const published = item.child('published').whole({ min: 1, max: 65_535 })
  const protocol = item.child('protocol').oneOf(PROTOCOLS) ?? 'tcp'
  const appProtocol = item.child('app_protocol').text() === 'http' ? 'http' : 'tcp'
  const mode = item.child('mode').oneOf(['ingress', 'host']) ?? 'ingress'
  if (containerPort === null) return []
  const spec = port({ containerPort, protocol, hostIp: item.child('host_ip').text() ?? '', published })
  return [{ ...spec, appProtocol, mode: mode === 'host' ? 'host' : spec.mode }]
}

/** The router speaks TCP; other protocols are published by the task's own node. */
function port(of: Pick<ServicePortSpec, 'containerPort' | 'protocol' | 'hostIp' | 'published'>): ServicePortSpec {
  return { ...of, mode: of.protocol === 'tcp' ? 'ingress' : 'host', appProtocol: 'tcp' }
}

function parseRange(text: string | undefined): readonly number[] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text ?? '')
  if (match?.[1] === undefined) return undefined
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  if (first < 1 || last > 65_535 || last < first || last - first >= MAX_RANGE) return undefined
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** `expose`: `3000`, `3000-3005`, `53/udp`; as `3000/tcp`. */
export function readExpose(expose: Field): readonly string[] {
  return expose.items().flatMap((item) => {
    const match = /^([0-9-]+)(?:\/(tcp|udp|sctp))?$/.exec(item.text() ?? '')
    const range = parseRange(match?.[1])
    if (range === undefined) item.refuse(`"expose" entry ${JSON.stringify(item.value)} is not a port`)
    return (range ?? []).map((number) => `${number}/${match?.[2] ?? 'tcp'}`)
  })
}
