import { isIP } from 'node:net'

/** resolv.conf(5), as far as it matters to us; what else stands there is kept in the text. */
export interface ResolverConfig {
  readonly nameServers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

export function parseResolvConf(text: string): ResolverConfig {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/),
  )
  const valuesOf = (keyword: string) => lines.filter(([first]) => first === keyword).map(([, ...values]) => values)
  return {
    nameServers: valuesOf('nameserver').flatMap(([address]) =>
      address !== undefined && isIP(address.split('%')[0] ?? '') !== 0 ? [address] : [],
    ),
    // The last `search` or `domain` wins.
    search: lines.findLast(([first]) => first === 'search' || first === 'domain')?.slice(1) ?? [],
    options: valuesOf('options').flat(),
  }
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

/** The embedded name service inside a container. */
export const NAME_SERVICE_ADDRESS = '127.0.0.11'
export const NAME_SERVICE_PORT = 53

export interface ResolvConfInput {
  readonly host: ResolverConfig
  /** Ask our own name service, which forwards foreign names. */
  readonly hasNameService: boolean
  /** What the user said; empty: as on the host. */
  readonly nameServers: readonly string[]
  readonly searchDomains: readonly string[]
  readonly resolverOptions: readonly string[]
}

/**
 * With the name service: it alone, and names are tried as they are first (`ndots:0`). Without: the host's servers but those that only
 * the host itself can reach. `--dns-search .` means no search at all.
 */
export function resolvConfText(input: ResolvConfInput): string {
  const { host, hasNameService, nameServers, searchDomains, resolverOptions } = input
  const foreign = nameServers.length > 0 ? nameServers : host.nameServers.filter((address) => !isLoopback(address))
  const servers = hasNameService ? [NAME_SERVICE_ADDRESS] : foreign
  const search = searchDomains.length > 0 ? searchDomains.filter((domain) => domain !== '.') : host.search
  const options = resolverOptions.length > 0 ? resolverOptions : host.options
  const hasDots = options.some((option) => option.startsWith('ndots:'))
  const allOptions = hasNameService && !hasDots ? [...options, 'ndots:0'] : options
  return [
    ...servers.map((address) => `nameserver ${address}\n`),
    search.length === 0 ? '' : `search ${search.join(' ')}\n`,
    allOptions.length === 0 ? '' : `options ${allOptions.join(' ')}\n`,
  ].join('')
}

export interface HostsInput {
  readonly hostname: string
  readonly domainname: string
  /** The container's own, in the order of its endpoints. */
  readonly addresses: readonly string[]
  /** `name:ip` */
  readonly extraHosts: readonly string[]
  /** What `host-gateway` stands for. */
  readonly hostGateway: string | undefined
  /** What stands first; default: the names of every machine's loopback. */
  readonly base?: string
}

const LOCAL_LINES = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

export function hostsText({ hostname, domainname, addresses, extraHosts, hostGateway, base }: HostsInput): string {
  const own = hostname === '' ? '' : domainname === '' ? hostname : `${hostname}.${domainname} ${hostname}`
  const extra = extraHosts.flatMap((entry) => {
    const separator = entry.search(/[:=]/)
    const name = entry.slice(0, separator)
    const address = entry.slice(separator + 1).replace(/^\[(.*)\]$/, '$1')
    const meant = address === 'host-gateway' ? hostGateway : address
    return separator <= 0 || meant === undefined ? [] : [`${meant}\t${name}`]
  })
  const first = base === undefined ? LOCAL_LINES : base.trimEnd().split('\n')
  return `${[...first, ...extra, ...(own === '' ? [] : addresses.map((address) => `${address}\t${own}`))].join('\n')}\n`
}

export function hostnameText(hostname: string): string {
  return `${hostname}\n`
}
