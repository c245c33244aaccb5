import { networkError } from './errors.ts'

/** What the options of a bridge network mean, with Docker's defaults. */
export interface BridgeSettings {
  /** undefined: as the uplink. */
  readonly mtu: number | undefined
  readonly hasInterContainer: boolean
  readonly hasMasquerade: boolean
  /** Where ports without an address are published; empty: everywhere. */
  readonly hostBindingIpv4: string
  /** Name of the link on the host; undefined: ours. */
  readonly bridgeName: string | undefined
  /** Links in containers are called this and a number. */
  readonly guestPrefix: string
}

const PREFIX = 'com.docker.network.'
const MTU_MIN = 68
const MTU_MAX = 65_535
/** IFNAMSIZ without its end, and without the number behind. */
const MAX_LINK_NAME = 15
const MAX_GUEST_PREFIX = 11

/** Reads `com.docker.network.*`. An option that we do not know is refused, for ignoring it would be a promise broken silently. */
export function bridgeSettings(networkName: string, options: Readonly<Record<string, string>>): BridgeSettings {
  const known = new Map(Object.entries(options))
  const take = (key: string) => {
    const value = known.get(PREFIX + key)
    known.delete(PREFIX + key)
    return value
  }
  const refuse = (key: string, value: string, wanted: string) =>
    networkError('network.invalid', `network ${networkName}: option ${PREFIX}${key}: ${JSON.stringify(value)} is not ${wanted}`)
  const truth = (key: string, otherwise: boolean) => {
    const value = take(key)
    if (value === undefined) return otherwise
    if (!/^(true|false|1|0)$/i.test(value)) throw refuse(key, value, 'true or false')
    return /^(true|1)$/i.test(value)
  }
  const linkName = (key: string, longest: number) => {
    const value = take(key)
    if (value !== undefined && (value.length > longest || !/^[A-Za-z0-9_.-]+$/.test(value)))
      throw refuse(key, value, `a name of up to ${longest} letters`)
    return value
  }
  const mtuText = take('driver.mtu')
  const mtu = mtuText === undefined ? undefined : Number(mtuText)
  if (mtu !== undefined && !(Number.isInteger(mtu) && mtu >= MTU_MIN && mtu <= MTU_MAX))
    throw refuse('driver.mtu', mtuText ?? '', `a number from ${MTU_MIN} to ${MTU_MAX}`)
  for (const family of ['4', '6']) {
    const mode = take(`bridge.gateway_mode_ipv${family}`)
    if (mode !== undefined && mode !== 'nat')
      throw refuse(`bridge.gateway_mode_ipv${family}`, mode, 'nat, the only mode there is')
  }
  const settings = {
    mtu,
    hasInterContainer: truth('bridge.enable_icc', true),
    hasMasquerade: truth('bridge.enable_ip_masquerade', true),
    hostBindingIpv4: take('bridge.host_binding_ipv4') ?? '',
    bridgeName: linkName('bridge.name', MAX_LINK_NAME),
    guestPrefix: linkName('container_iface_prefix', MAX_GUEST_PREFIX) ?? 'eth',
  }
  const [unknown] = known.keys()
  if (unknown !== undefined)
    throw networkError('network.unsupported', `network ${networkName}: option ${unknown} is not supported`, {
      hint: 'See docs/design/network.md for the options that are.',
    })
  return settings
}
