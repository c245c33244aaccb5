import { networkError } from './errors.ts'

/** What the options of a macvlan or ipvlan network mean. */
export interface ParentSettings {
  /** Link of the host whose wire the containers share. */
  readonly parent: string
  /** When the parent is named like `eth0.10` and is not there: VLAN 10 of eth0 is made for the network. */
  readonly vlan: { readonly parent: string; readonly vlanId: number } | undefined
  readonly mode: 'bridge' | 'private' | 'vepa' | 'passthru' | 'l2' | 'l3' | 'l3s'
  readonly flag: 'bridge' | 'private' | 'vepa'
  readonly mtu: number | undefined
}

export type ParentDriver = 'macvlan' | 'ipvlan'

const MODES = { macvlan: ['bridge', 'private', 'vepa', 'passthru'], ipvlan: ['l2', 'l3', 'l3s'] } as const
const FLAGS = ['bridge', 'private', 'vepa'] as const
const MTU = 'com.docker.network.driver.mtu'
const MAX_LINK_NAME = 15
const MAX_VLAN_ID = 4094
const MIN_MTU = 68
const MAX_MTU = 65_535

/** Errors: `network.invalid`, `network.unsupported`. */
export function parentSettings(
  networkName: string,
  driver: ParentDriver,
  options: Readonly<Record<string, string>>,
): ParentSettings {
  const what = `network ${networkName}`
  const modeKey = `${driver}_mode`
  const known = new Set(['parent', modeKey, MTU, ...(driver === 'ipvlan' ? ['ipvlan_flag'] : [])])
  const unknown = Object.keys(options).find((key) => !known.has(key))
  if (unknown !== undefined)
    throw networkError('network.unsupported', `${what}: option ${unknown} is not supported`, {
      hint: `A ${driver} network knows ${[...known].join(', ')}.`,
    })
  const parent = options['parent'] ?? ''
  if (parent === '' || parent.length > MAX_LINK_NAME || /[\s/]/.test(parent))
    throw networkError(
      'network.invalid',
      `${what}: option parent: ${JSON.stringify(parent)} names no link of this host; a ${driver} network needs one`,
      { hint: 'Name the link whose wire the containers shall share: -o parent=eth0.' },
    )
  const mtuText = options[MTU]
  const mtu = mtuText === undefined ? undefined : Number(mtuText)
  if (mtu !== undefined && !(Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU))
    throw networkError(
      'network.invalid',
      `${what}: option ${MTU}: ${JSON.stringify(mtuText)} is not a number from ${MIN_MTU} to ${MAX_MTU}`,
    )
  return {
    parent,
    vlan: vlanOf(parent),
    mode: oneOf<ParentSettings['mode']>(what, modeKey, options[modeKey], MODES[driver]),
    flag: oneOf<ParentSettings['flag']>(what, 'ipvlan_flag', options['ipvlan_flag'], FLAGS),
    mtu,
  }
}

function oneOf<T extends string>(what: string, key: string, value: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === (value ?? allowed[0]))
  if (found !== undefined) return found
  throw networkError('network.invalid', `${what}: option ${key}: ${JSON.stringify(value)} is not one of ${allowed.join(', ')}`)
}

function vlanOf(parent: string): ParentSettings['vlan'] {
  const match = /^(.+)\.(\d{1,4})$/.exec(parent)
  const vlanId = Number(match?.[2])
  return match?.[1] === undefined || vlanId < 1 || vlanId > MAX_VLAN_ID ? undefined : { parent: match[1], vlanId }
}

export function isParentDriver(driver: string): driver is ParentDriver {
  return driver === 'macvlan' || driver === 'ipvlan'
}
