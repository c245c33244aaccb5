import { newId } from '#base'
import type { NetworkId } from '#base'

import { planSubnets } from './address-pool.ts'
import type { DefaultPool } from './address-pool.ts'
import type { Context } from './context.ts'
import { networkError } from './errors.ts'
import { bridgeSettings } from './options.ts'
import { isParentDriver, parentSettings } from './parent-options.ts'
import type { ParentDriver } from './parent-options.ts'
import type { Network, NetworkDriver, NetworkSpec } from './port.ts'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

/** `default` is what the CLI calls the bridge; the others are modes of `docker run --network`. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['default', 'container'])

/** Checks the wish, chooses what it leaves open and writes the record. Nothing in the kernel changes yet. */
export function createNetwork(
  context: Context,
  spec: NetworkSpec,
  pools: { 4: readonly DefaultPool[]; 6: readonly DefaultPool[] },
): Network {
  const { state } = context
  const { name, options = {}, labels = {} } = spec
  if (!NAME.test(name) || RESERVED_NAMES.has(name))
    throw networkError('network.invalid', `${JSON.stringify(name)} cannot be the name of a network`, {
      hint: 'Letters, digits, `_`, `.` and `-`, beginning with a letter or digit.',
    })
  if ([...state.networks.values()].some((other) => other.name === name))
    throw networkError('network.name_in_use', `network with name ${name} already exists`)
  const driver = driverOf(spec)
  const bridgeName = isParentDriver(driver) ? '' : bridgeSettings(name, options).bridgeName
  if (isParentDriver(driver)) parentSettings(name, driver, options)
  const { hasIpv4 = true, hasIpv6 = (spec.subnets ?? []).some(({ subnet }) => subnet?.includes(':') === true) } = spec
  if (!hasIpv4 && !hasIpv6) throw networkError('network.invalid', `network ${name}: neither IPv4 nor IPv6 is on`)
  const id = newNetworkId(context)
  const bridge = bridgeName ?? context.names.bridge(id)
  const isLinkTaken =
    bridge !== '' &&
    ([...state.networks.values()].some((other) => other.bridge === bridge) ||
      context.host.links.listLinks().some((link) => link.name === bridge))
  if (isLinkTaken) throw networkError('network.name_in_use', `network ${name}: the host has a link ${bridge} already`)
  const network: Network = {
    id,
    name,
    driver,
    createdAt: timestamp(context),
    isInternal: spec.isInternal ?? false,
    isAttachable: spec.isAttachable ?? false,
    hasIpv4,
    hasIpv6,
    isPredefined: false,
    subnets: planSubnets({
      networkName: name,
      specs: spec.subnets ?? [],
      hasIpv4,
      hasIpv6,
      pools,
      // Containers on a shared wire live in a subnet that the host itself may have an address in.
      taken: context.bridges.taken({ isOnWire: isParentDriver(driver) && (spec.subnets ?? []).some(({ subnet }) => subnet) }),
    }),
    options,
    labels,
    bridge,
  }
  if (isParentDriver(driver)) return context.parents.claim(network)
  state.saveNetwork(network)
  return network
}

function driverOf({ name, driver = 'bridge' }: NetworkSpec): 'bridge' | ParentDriver {
  if (driver === 'bridge' || driver === 'default' || driver === '') return 'bridge'
  if (isParentDriver(driver)) return driver
  if (driver === 'host' || driver === 'null')
    throw networkError('network.predefined', `network ${name}: only one instance of the driver ${driver} is allowed`)
  throw networkError('network.unsupported', `network ${name}: driver ${JSON.stringify(driver)} is not supported`, {
    hint: 'The drivers for networks of one machine are bridge, macvlan and ipvlan.',
  })
}

/** Four digits of the id are in the bridge's name: they must differ between networks. */
function newNetworkId({ random, state, names }: Context): NetworkId {
  const bridges = new Set([...state.networks.values()].map(({ bridge }) => bridge))
  for (;;) {
    const id = newId<NetworkId>(random)
    // Docker's ids never look like a number of 12 digits: scripts would take them for one.
    if (!bridges.has(names.bridge(id)) && !/^\d{12}/.test(id)) return id
  }
}

function timestamp({ clock }: Context): string {
  const ns = clock.nowNs()
  const whole = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)
  return `${whole}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}Z`
}

const PREDEFINED: readonly { readonly name: string; readonly driver: NetworkDriver }[] = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
]

/** bridge, host and none, as every client expects them. */
export function ensurePredefined(context: Context, pools: { 4: readonly DefaultPool[]; 6: readonly DefaultPool[] }): void {
  const { state } = context
  for (const { name, driver } of PREDEFINED) {
    if ([...state.networks.values()].some((network) => network.name === name && network.isPredefined)) continue
    const id = newNetworkId(context)
    const isBridge = driver === 'bridge'
    state.saveNetwork({
      id,
      name,
      driver,
      createdAt: timestamp(context),
      isInternal: false,
      isAttachable: false,
      hasIpv4: true,
      hasIpv6: false,
      isPredefined: true,
      subnets: isBridge
        ? planSubnets({ networkName: name, specs: [], hasIpv4: true, hasIpv6: false, pools, taken: context.bridges.taken() })
        : [],
      options: {},
      labels: {},
      bridge: isBridge ? context.names.bridge(id) : '',
    })
  }
}
