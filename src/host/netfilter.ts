import { errnoName } from './errors.ts'
import { formatAddress, parseAddress } from './address.ts'
import { connectionOf, isMeant, listConnectionsRequest } from './netlink/conntrack-messages.ts'
import { batchFrame, redirectionMessages } from './netlink/nft-messages.ts'
import { isRefusal, NETLINK_NETFILTER, openNetlink, refusedError } from './netlink/socket.ts'
import type { NetlinkSocket } from './netlink/socket.ts'
import type { NetfilterPort } from './port-netfilter.ts'
import type { NamespacePort } from './port-network.ts'
import type { LazySyscalls } from './syscalls.ts'

/** Deletions in one datagram: their answers must fit into the socket's buffer. */
const MAX_BATCH = 256

export function linuxNetfilter(calls: LazySyscalls, namespaces: Pick<NamespacePort, 'inNetwork'>): NetfilterPort {
  const withSocket = <T>(netnsPin: string | undefined, work: (socket: NetlinkSocket) => T): T => {
    const open = () => openNetlink(calls, NETLINK_NETFILTER)
    using socket = netnsPin === undefined ? open() : namespaces.inNetwork(netnsPin, open)
    return work(socket)
  }
  return {
    redirectLocal: (options) =>
      withSocket(options.netnsPin, (socket) => {
        const { begin, end } = batchFrame()
        const attempt = (how: 'make' | 'replace') => socket.transaction(begin, redirectionMessages(options, how), end)
        const first = attempt('make')
        const refusal = first !== undefined && errnoName(first.errno) === 'EEXIST' ? attempt('replace') : first
        if (refusal === undefined) return
        const what = `redirect ${options.address}:${options.from} in ${options.netnsPin}`
        throw refusedError(what, refusal, 'host.nftables_failed')
      }),
    forgetConnections: (filter) => {
      if (filter.repliesFrom.length === 0) return 0
      return withSocket(undefined, (socket) => {
        const answer = socket.ask(listConnectionsRequest(filter))
        if (isRefusal(answer)) throw refusedError('list tracked connections', answer, 'host.nftables_failed')
        const wanted = { ...filter, repliesFrom: filter.repliesFrom.map((address) => formatAddress(parseAddress(address))) }
        const meant = answer.flatMap((reply) => connectionOf(reply) ?? []).filter((one) => isMeant(one, wanted))
        // One that ended by itself in between is refused, and that is fine.
        for (let at = 0; at < meant.length; at += MAX_BATCH)
          socket.batch(meant.slice(at, at + MAX_BATCH).map(({ forget }) => forget))
        return meant.length
      })
    },
  }
}
