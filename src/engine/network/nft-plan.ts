import { isIPv4 } from 'node:net'

import type { InstanceNames } from './names.ts'

/** A bridge as the firewall sees it. */
export interface BridgeRules {
  readonly bridge: string
  readonly subnets: readonly { readonly family: 4 | 6; readonly subnet: string }[]
  readonly isInternal: boolean
  /** Containers on it may talk to each other. */
  readonly hasInterContainer: boolean
  /** Leaves under the host's address. */
  readonly hasMasquerade: boolean
}

/** A published port: what arrives on the host is sent on to the container. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** `0.0.0.0` and `::` stand for every address of the host of that family. */
  readonly hostIp: string
  readonly hostPort: number
  readonly containerIp: string
  readonly containerPort: number
}

/**
 * The whole table of the instance as one transaction: what was there is replaced, and nobody sees a moment without rules.
 * Statements stand on lines of their own, for nft 1.0.6 wants that.
 */
export function tableScript(names: InstanceNames, bridges: readonly BridgeRules[], ports: readonly PortRule[]): string {
  return [
    // Deleting a table that is not there fails; adding one that is there does not.
    `table inet ${names.table}`,
    `delete table inet ${names.table}`,
    `table inet ${names.table} {`,
    ...portMaps(ports),
    ...rawChain(bridges),
    ...natChains(bridges),
    ...forwardChains(bridges),
    '}',
    '',
  ].join('\n')
}

const MAPS = {
  any4: 'inet_proto . inet_service : ipv4_addr . inet_service',
  one4: 'ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service',
  any6: 'inet_proto . inet_service : ipv6_addr . inet_service',
  one6: 'ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service',
} as const

type MapName = keyof typeof MAPS

function portMaps(ports: readonly PortRule[]): readonly string[] {
  return (Object.keys(MAPS) as MapName[]).flatMap((name) => {
    const elements = ports.filter((port) => mapOf(port) === name).map((port) => `${keyOf(port)} : ${targetOf(port)}`)
    return [
      `map ${name} {`,
      `type ${MAPS[name]}`,
      ...(elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`]),
      '}',
    ]
  })
}

/**
 * With route_localnet on its bridge a container could send packets to 127.0.0.0/8 of the host. Here, before connection tracking,
 * answers to the host's own loopback connections still carry the bridge's address, so that only forged packets match.
 */
function rawChain(bridges: readonly BridgeRules[]): readonly string[] {
  return [
    'chain guard {',
    'type filter hook prerouting priority raw; policy accept;',
    ...(bridges.length === 0 ? [] : [`iifname ${setOf(bridges)} ip daddr 127.0.0.0/8 drop`]),
    '}',
  ]
}

function setOf(bridges: readonly BridgeRules[]): string {
  return `{ ${bridges.map(({ bridge }) => `"${bridge}"`).join(', ')} }`
}

function natChains(bridges: readonly BridgeRules[]): readonly string[] {
  return [
    'chain published {',
    'dnat ip to ip daddr . meta l4proto . th dport map @one4',
    'dnat ip to meta l4proto . th dport map @any4',
    'dnat ip6 to ip6 daddr . meta l4proto . th dport map @one6',
    'dnat ip6 to meta l4proto . th dport map @any6',
    '}',
    'chain arriving {',
    'type nat hook prerouting priority dstnat; policy accept;',
    'fib daddr type local meta l4proto { tcp, udp, sctp } jump published',
    '}',
    'chain outgoing {',
    'type nat hook output priority -100; policy accept;',
    // Answers would arrive from outside the loopback link under its address, which IPv6 forbids: better refused than lost.
    'ip6 daddr ::1 accept',
    'fib daddr type local meta l4proto { tcp, udp, sctp } jump published',
    '}',
    'chain leaving {',
    'type nat hook postrouting priority srcnat; policy accept;',
    ...bridges.flatMap(masqueradeRules),
    '}',
  ]
}

function masqueradeRules({ bridge, subnets, isInternal, hasMasquerade }: BridgeRules): readonly string[] {
  return subnets.flatMap(({ family, subnet }) => {
    const ip = family === 4 ? 'ip' : 'ip6'
    const sources = family === 4 ? `127.0.0.0/8, ${subnet}` : subnet
    return [
      // A published port used from the host's loopback, or from a container on the same bridge (itself, for one): the answer must
      // come back through here to be translated.
      `oifname "${bridge}" ct status dnat ${ip} saddr { ${sources} } masquerade`,
      ...(hasMasquerade && !isInternal ? [`${ip} saddr ${subnet} oifname != "${bridge}" masquerade`] : []),
    ]
  })
}

/**
 * Only packets that enter or leave one of our bridges are judged here. Between bridges, and from outside, nothing begins unless it is a
 * published port; answers always pass.
 */
function forwardChains(bridges: readonly BridgeRules[]): readonly string[] {
  if (bridges.length === 0) return []
  const ours = setOf(bridges)
  const internal = bridges.filter(({ isInternal }) => isInternal)
  const silent = bridges.filter(({ hasInterContainer }) => !hasInterContainer)
  return [
    'chain passing {',
    'type filter hook forward priority filter; policy accept;',
    `iifname ${ours} jump judged`,
    `oifname ${ours} jump judged`,
    '}',
    'chain judged {',
    'ct state established,related accept',
    ...silent.map(({ bridge }) => `iifname "${bridge}" oifname "${bridge}" ct status != dnat drop`),
    ...internal.flatMap(({ bridge }) => [
      `iifname "${bridge}" oifname != "${bridge}" drop`,
      `iifname != "${bridge}" oifname "${bridge}" drop`,
    ]),
    'ct status dnat accept',
    ...bridges.map(({ bridge }) => `iifname "${bridge}" oifname "${bridge}" accept`),
    `oifname ${ours} drop`,
    '}',
  ]
}

/** One transaction that takes some ports away and adds others; the same key may be in both. */
export function changePortsScript(names: InstanceNames, gone: readonly PortRule[], added: readonly PortRule[]): string {
  const lines = (verb: 'add' | 'delete', ports: readonly PortRule[], elementOf: (port: PortRule) => string) =>
    [...Map.groupBy(ports, mapOf)].map(
      ([map, group]) => `${verb} element inet ${names.table} ${map} { ${group.map(elementOf).join(', ')} }`,
    )
  return [...lines('delete', gone, keyOf), ...lines('add', added, (port) => `${keyOf(port)} : ${targetOf(port)}`), ''].join('\n')
}

function mapOf({ hostIp }: PortRule): MapName {
  if (isIPv4(hostIp)) return hostIp === '0.0.0.0' ? 'any4' : 'one4'
  return hostIp === '::' ? 'any6' : 'one6'
}

function keyOf({ hostIp, protocol, hostPort }: PortRule): string {
  const key = `${protocol} . ${hostPort}`
  return hostIp === '0.0.0.0' || hostIp === '::' ? key : `${hostIp} . ${key}`
}

function targetOf({ containerIp, containerPort }: PortRule): string {
  return `${containerIp} . ${containerPort}`
}
