import { closeSync, constants, openSync } from 'node:fs'

import { systemCodeOf } from '#base'
import { errnoName, hostError } from './errors.ts'
import { addressOf, countersOf, linkOf, namedCountersOf, routeOf } from './netlink/entries.ts'
import type { NetlinkRequest } from './netlink/message.ts'
import {
  addAddressRequest,
  addRouteRequest,
  bridgePortRequest,
  createBridgeRequest,
  createSharedRequest,
  createVethRequest,
  createVlanRequest,
  deleteAddressRequest,
  deleteLinkRequest,
  deleteRouteRequest,
  describeRoute,
  dumpRequest,
  filterBridgedRequest,
  getLinkRequest,
  retireLinkRequest,
  setDownRequest,
  setUpRequest,
} from './netlink/requests.ts'
import type { IndexedRoute } from './netlink/requests.ts'
import { isRefusal, mustBatch, openNetlink, refusedError } from './netlink/socket.ts'
import type { NetlinkRefusal, NetlinkSocket } from './netlink/socket.ts'
import type {
  BridgeOptions,
  ContainerAttachment,
  LinkEntry,
  LinkPort,
  NamespacePort,
  RouteOptions,
  SharedAttachment,
} from './port-network.ts'
import type { LazySyscalls } from './syscalls.ts'

/** IFNAMSIZ without the final zero. */
const MAX_NAME_BYTES = 15
/** The loopback link is the first of every namespace. */
const LOOPBACK_INDEX = 1

export function linuxLinks(calls: LazySyscalls, namespaces: NamespacePort): LinkPort {
  const withSocket = <T>(netnsPin: string | undefined, work: (socket: NetlinkSocket) => T): T => {
    using socket = netnsPin === undefined ? openNetlink(calls) : namespaces.inNetwork(netnsPin, () => openNetlink(calls))
    return work(socket)
  }
  const deleteIn = (netnsPin: string | undefined, name: string) =>
    withSocket(netnsPin, (socket) => {
      const [refusal] = socket.batch([deleteLinkRequest(name)])
      if (refusal !== undefined && errnoName(refusal.errno) !== 'ENODEV') throw refusedError(`delete link ${name}`, refusal)
    })
  const deleteLink = (name: string) => deleteIn(undefined, name)
  const changeRoute = (what: string, route: RouteOptions, requestOf: (route: IndexedRoute) => NetlinkRequest) =>
    withSocket(route.netnsPin, (socket) => {
      const { netnsPin: _, link, ...rest } = route
      const indexed = link === undefined ? rest : { ...rest, linkIndex: indexOf(socket, link) }
      const [refusal] = socket.batch([requestOf(indexed)])
      return refusal === undefined
        ? undefined
        : { refusal, error: refusedError(`${what} route ${describeRoute(route)}`, refusal) }
    })
  return {
    createBridge: (options) => withSocket(undefined, (socket) => createBridge(socket, options, deleteLink)),
    deleteLink,
    listLinks: () => withSocket(undefined, (socket) => dump(socket, 'links').map(linkOf)),
    listAddresses: () => withSocket(undefined, (socket) => dump(socket, 'addresses').flatMap((reply) => addressOf(reply) ?? [])),
    listRoutes: () => withSocket(undefined, (socket) => dump(socket, 'routes').flatMap((reply) => routeOf(reply) ?? [])),
    attachContainer: (attachment) => {
      checkName(attachment.hostName)
      checkName(attachment.guestName)
      withSocket(undefined, (socket) => createPair(socket, attachment))
      try {
        withSocket(attachment.netnsPin, (socket) => configureGuest(socket, attachment))
      } catch (error) {
        deleteLink(attachment.hostName)
        throw error
      }
    },
    attachShared: (attachment) => {
      checkName(attachment.guestName)
      withSocket(undefined, (socket) => createShared(socket, attachment))
      try {
        withSocket(attachment.netnsPin, (socket) => configureGuest(socket, attachment))
      } catch (error) {
        deleteIn(attachment.netnsPin, attachment.guestName)
        throw error
      }
    },
    createVlan: ({ name, parent, vlanId }) =>
      withSocket(undefined, (socket) => {
        const what = `create link ${checkName(name)} for VLAN ${vlanId} of ${parent}`
        const [refusal] = socket.batch([createVlanRequest(name, indexOf(socket, parent), vlanId)])
        if (refusal !== undefined) throw kindError(what, 'vlan', refusal)
      }),
    retireContainer: (hostName) =>
      withSocket(undefined, (socket) => {
        const [refusal] = socket.batch([retireLinkRequest(hostName)])
        if (refusal !== undefined && errnoName(refusal.errno) !== 'ENODEV') throw refusedError(`retire link ${hostName}`, refusal)
      }),
    detachContainer: deleteLink,
    deleteLinkIn: deleteIn,
    setDown: (name, netnsPin) =>
      withSocket(netnsPin, (socket) => {
        const answer = socket.ask(getLinkRequest(name))
        if (isRefusal(answer) || answer[0] === undefined) return
        mustBatch(socket, `link ${name}`, [{ doing: 'down', request: setDownRequest(linkOf(answer[0]).index) }])
      }),
    addRoute: (route) => {
      const outcome = changeRoute('add', route, addRouteRequest)
      if (outcome !== undefined) throw outcome.error
    },
    deleteRoute: (route) => {
      const outcome = changeRoute('delete', route, deleteRouteRequest)
      if (outcome !== undefined && errnoName(outcome.refusal.errno) !== 'ESRCH') throw outcome.error
    },
    addAddress: (name, address, netnsPin) =>
      withSocket(netnsPin, (socket) =>
        mustBatch(socket, `link ${name}`, [
          { doing: `add address ${address}`, request: addAddressRequest(indexOf(socket, name), address) },
        ]),
      ),
    removeAddress: (name, address) =>
      withSocket(undefined, (socket) => {
        const link = socket.ask(getLinkRequest(name))
        if (isRefusal(link) || link[0] === undefined) return
        const [refusal] = socket.batch([deleteAddressRequest(linkOf(link[0]).index, address)])
        if (refusal !== undefined && errnoName(refusal.errno) !== 'EADDRNOTAVAIL')
          throw refusedError(`link ${name}: remove address ${address}`, refusal)
      }),
    filterBridged: (name) =>
      withSocket(undefined, (socket) =>
        mustBatch(socket, `link ${name}`, [{ doing: 'flags of br_netfilter', request: filterBridgedRequest(name) }]),
      ),
    setLoopbackUp: (netnsPin) =>
      withSocket(netnsPin, (socket) =>
        mustBatch(socket, netnsPin, [{ doing: 'loopback up', request: setUpRequest(LOOPBACK_INDEX) }]),
      ),
    setUp: (name, netnsPin) =>
      withSocket(netnsPin, (socket) =>
        mustBatch(socket, `link ${name}`, [{ doing: 'up', request: setUpRequest(indexOf(socket, name)) }]),
      ),
    counters: (name, netnsPin) =>
      withSocket(netnsPin, (socket) => {
        const answer = socket.ask(getLinkRequest(name))
        if (!isRefusal(answer)) return answer[0] === undefined ? undefined : countersOf(answer[0])
        if (errnoName(answer.errno) === 'ENODEV') return undefined
        throw refusedError(`counters of ${name}`, answer)
      }),
    allCounters: () =>
      withSocket(
        undefined,
        (socket) =>
          new Map(
            dump(socket, 'links').flatMap((reply) => {
              const found = namedCountersOf(reply)
              return found === undefined ? [] : [[found.name, found] as const]
            }),
          ),
      ),
    uplink: () =>
      withSocket(undefined, (socket) => {
        const routes = dump(socket, 'routes').flatMap((reply) => routeOf(reply) ?? [])
        const defaults = routes.filter(({ destination }) => destination === '0.0.0.0/0' || destination === '::/0')
        const best = defaults.toSorted((a, b) => a.family - b.family || a.metric - b.metric)[0]
        const link = dump(socket, 'links')
          .map(linkOf)
          .find(({ index }) => index === best?.linkIndex)
        return link === undefined ? undefined : { name: link.name, index: link.index, mtu: link.mtu }
      }),
  }
}

function createBridge(socket: NetlinkSocket, options: BridgeOptions, deleteLink: (name: string) => void): void {
  const what = `create bridge ${checkName(options.name)}`
  mustBatch(socket, what, [{ doing: 'link', request: createBridgeRequest(options) }])
  try {
    const index = indexOf(socket, options.name)
    mustBatch(
      socket,
      what,
      options.addresses.map((address) => ({ doing: `address ${address}`, request: addAddressRequest(index, address) })),
    )
  } catch (error) {
    deleteLink(options.name)
    throw error
  }
}

function createPair(socket: NetlinkSocket, attachment: ContainerAttachment): void {
  const { hostName, bridge, netnsPin, hairpin = false, isolated = false } = attachment
  const what = `attach ${netnsPin} to ${bridge} as ${hostName}`
  const bridgeIndex = indexOf(socket, bridge)
  const netns = openPin(netnsPin, what)
  try {
    // A refusal of the second part must not leave the pair behind, and one of the first must not touch somebody else's link.
    mustBatch(socket, what, [{ doing: 'veth', request: createVethRequest(attachment, bridgeIndex, netns) }])
    if (!hairpin && !isolated) return
    const [refusal] = socket.batch([bridgePortRequest(hostName, { hairpin, isolated })])
    if (refusal === undefined) return
    socket.batch([deleteLinkRequest(hostName)])
    throw refusedError(`${what}: port options`, refusal)
  } finally {
    closeSync(netns)
  }
}

function createShared(socket: NetlinkSocket, attachment: SharedAttachment): void {
  const { parent, netnsPin, kind, guestName } = attachment
  const what = `attach ${netnsPin} to ${parent} by ${kind} as ${guestName}`
  const parentIndex = indexOf(socket, parent)
  const netns = openPin(netnsPin, what)
  try {
    const [refusal] = socket.batch([createSharedRequest(attachment, parentIndex, netns)])
    if (refusal !== undefined) throw kindError(what, kind, refusal)
  } finally {
    closeSync(netns)
  }
}

/** A kernel without a kind of link says so by an errno that means many things. */
function kindError(what: string, kind: string, refusal: NetlinkRefusal) {
  if (errnoName(refusal.errno) !== 'EOPNOTSUPP' || !/unknown device type/i.test(refusal.text)) return refusedError(what, refusal)
  return hostError('host.unsupported', `${what}: this kernel has no links of kind ${kind}`, {
    details: { errno: 'EOPNOTSUPP' },
    hint: `A kernel built with CONFIG_${kind === 'vlan' ? 'VLAN_8021Q' : kind.toUpperCase()}, or its module, is needed.`,
  })
}

function openPin(netnsPin: string, what: string): number {
  try {
    return openSync(netnsPin, constants.O_RDONLY)
  } catch (error) {
    const errno = systemCodeOf(error) ?? 'EIO'
    throw hostError('host.link_failed', `${what}: open ${netnsPin}: ${errno}`, { cause: error, details: { errno } })
  }
}

interface GuestLink {
  readonly guestName: string
  readonly netnsPin: string
  readonly addresses: readonly string[]
  readonly gateways?: readonly string[]
  readonly onLinkFamilies?: readonly (4 | 6)[]
}

function configureGuest(
  socket: NetlinkSocket,
  { guestName, netnsPin, addresses, gateways = [], onLinkFamilies = [] }: GuestLink,
): void {
  const index = indexOf(socket, guestName)
  mustBatch(socket, `configure ${guestName} in ${netnsPin}`, [
    { doing: 'loopback up', request: setUpRequest(LOOPBACK_INDEX) },
    { doing: 'up', request: setUpRequest(index) },
    ...addresses.map((address) => ({ doing: `address ${address}`, request: addAddressRequest(index, address) })),
    ...gateways.map((via) => ({
      doing: `default route via ${via}`,
      request: addRouteRequest({ destination: 'default', via, linkIndex: index }),
    })),
    ...onLinkFamilies.map((family) => ({
      doing: `default IPv${family} route`,
      request: addRouteRequest({ destination: 'default', linkIndex: index, family }),
    })),
  ])
}

function indexOf(socket: NetlinkSocket, name: string): number {
  return linkNamed(socket, name).index
}

function linkNamed(socket: NetlinkSocket, name: string): LinkEntry {
  const answer = socket.ask(getLinkRequest(name))
  if (isRefusal(answer)) throw refusedError(`link ${name}`, answer)
  const [reply] = answer
  if (reply === undefined) throw hostError('host.link_failed', `link ${name}: the kernel gave no answer`)
  return linkOf(reply)
}

function dump(socket: NetlinkSocket, kind: 'links' | 'addresses' | 'routes') {
  const answer = socket.ask(dumpRequest(kind))
  if (isRefusal(answer)) throw refusedError(`list ${kind}`, answer)
  return answer
}

function checkName(name: string): string {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES || /[\s/:]/.test(name) || name === '.' || name === '..')
    throw hostError('host.link_failed', `${JSON.stringify(name)} cannot be the name of a link`, {
      details: { errno: 'EINVAL' },
      hint: `A name has 1 to ${MAX_NAME_BYTES} bytes without space, slash and colon.`,
    })
  return name
}
