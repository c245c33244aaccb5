import { cliError } from '../errors.ts'

export interface PortWords {
  readonly exposed: Readonly<Record<string, object>>
  readonly bindings: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>
}

/** Reads `[IP:][HOST[-HOST]:]PORT[-PORT][/PROTO]` into what the API takes. Errors: `cli.usage`. */
export function portWords(published: readonly string[], exposed: readonly string[]): PortWords {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const word of published) {
    const { ip, host, inside, protocol } = splitPort(word)
    const insidePorts = range(inside, word)
    const hostPorts = host === '' ? [] : range(host, word)
    if (hostPorts.length > 1 && insidePorts.length > 1 && hostPorts.length !== insidePorts.length)
      throw wrong(word, 'the ranges differ in length')
    insidePorts.forEach((port, i) => {
      const hostPort = hostPorts.length === insidePorts.length ? String(hostPorts[i] ?? '') : host
      const key = `${port}/${protocol}`
      bindings[key] = [...(bindings[key] ?? []), { HostIp: ip, HostPort: hostPort }]
    })
  }
  const more = exposed.flatMap((word) => {
    const { inside, protocol } = splitPort(word)
    return range(inside, word).map((port) => `${port}/${protocol}`)
  })
  return { bindings, exposed: Object.fromEntries([...Object.keys(bindings), ...more].map((key) => [key, {}])) }
}

function splitPort(word: string): { ip: string; host: string; inside: string; protocol: string } {
  const match = /^(?:(?:\[([\da-fA-F:.]+)\]|(\d+(?:\.\d+){3})):)?(?:([\d-]*):)?([\d-]+)(?:\/(tcp|udp|sctp))?$/.exec(word)
  if (match === null) throw wrong(word, 'it is not [IP:][HOST:]PORT[/tcp|udp|sctp]')
  const [, ip6, ip4, host, inside, protocol] = match
  return { ip: ip6 ?? ip4 ?? '', host: host ?? '', inside: inside ?? '', protocol: protocol ?? 'tcp' }
}

function range(text: string, word: string): number[] {
  const [first, last = first, ...more] = text.split('-').map(Number)
  const isPort = (port: number | undefined): port is number =>
    port !== undefined && Number.isInteger(port) && port >= 1 && port <= 65_535
  if (!isPort(first) || !isPort(last) || last < first || more.length > 0)
    throw wrong(word, `${JSON.stringify(text)} is not a port or a range of ports`)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

function wrong(word: string, why: string): Error {
  return cliError('cli.usage', `--publish: ${JSON.stringify(word)}: ${why}`)
}
