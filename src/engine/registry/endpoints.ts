import { BlockList, isIP } from 'node:net'

import { DEFAULT_REGISTRY } from '#oci/reference'

import { registryError } from './errors.ts'

/** What the daemon was told of registries. */
export interface RegistryOptions {
  /** Addresses (`https://mirror.example.org`) that are asked before the default registry. */
  readonly mirrors: readonly string[]
  /** `host`, `host:port` or a network (`10.0.0.0/8`): plain HTTP and unknown certificates are fine there. */
  readonly insecure: readonly string[]
}

/** A place where a registry may answer. */
export interface Endpoint {
  /** Scheme, host and port. */
  readonly origin: string
  /** The name that `certs.d` knows it by. */
  readonly host: string
  readonly isMirror: boolean
  /** Whether any certificate will do. */
  readonly isAnyCertificateFine: boolean
}

/** The host behind the name of the default registry. */
const DEFAULT_HOST = 'registry-1.docker.io'

/**
 * Where to look for a registry, best first. Plain HTTP is tried after HTTPS, and only on this machine and on registries that were
 * configured to be insecure. Pure.
 */
export function planEndpoints(registry: string, options: RegistryOptions, use: 'pull' | 'push'): readonly Endpoint[] {
  const isDefault = registry === DEFAULT_REGISTRY
  const mirrors = isDefault && use === 'pull' ? options.mirrors.flatMap((mirror) => mirrorEndpoints(mirror, options)) : []
  return [...mirrors, ...hostEndpoints(isDefault ? DEFAULT_HOST : registry, options, false)]
}

function mirrorEndpoints(mirror: string, options: RegistryOptions): readonly Endpoint[] {
  const { host, origin, protocol } = new URL(readMirror(mirror))
  return [{ origin, host, isMirror: true, isAnyCertificateFine: protocol === 'https:' && isInsecure(host, options) }]
}

function hostEndpoints(host: string, options: RegistryOptions, isMirror: boolean): readonly Endpoint[] {
  const isAnyCertificateFine = isInsecure(host, options)
  const secure = { origin: `https://${host}`, host, isMirror, isAnyCertificateFine }
  return isAnyCertificateFine ? [secure, { ...secure, origin: `http://${host}` }] : [secure]
}

/** Whether plain HTTP to a host (with its port) is allowed. */
export function isInsecure(host: string, { insecure }: Pick<RegistryOptions, 'insecure'>): boolean {
  const name = hostName(host)
  if (isLoopback(name)) return true
  return insecure.some(
    (entry) => entry.toLowerCase() === host.toLowerCase() || entry.toLowerCase() === name || contains(entry, name),
  )
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || contains('127.0.0.0/8', name) || name === '::1'
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}

/** Networks hold addresses only: a name is not looked up to find out whether it is trusted. */
function contains(network: string, name: string): boolean {
  const [address = '', bits] = network.split('/')
  if (bits === undefined || isIP(address) === 0 || isIP(address) !== isIP(name)) return false
  const family = isIP(name) === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family)
  return list.check(name, family)
}

/** Error: `registry.option_invalid`. Gives the origin. */
export function readMirror(text: string): string {
  const url = URL.parse(text)
  const isPlain =
    url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return url.origin
  throw registryError('registry.option_invalid', `--registry-mirror ${text}: not an address such as https://mirror.example.org`, {
    hint: 'Give scheme and host, and a port if there is one, without a path, a query or a user.',
  })
}

/** Error: `registry.option_invalid`. */
export function readInsecure(text: string): string {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  const isNetwork = family !== 0 && bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  const isHost = bits === undefined && /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/.test(text)
  if (more === undefined && (isNetwork || isHost)) return text
  throw registryError('registry.option_invalid', `--insecure-registry ${text}: not a host, host:port or network`, {
    hint: 'Write it without a scheme, such as registry.internal:5000 or 10.0.0.0/8.',
  })
}
