import { errnoError, errnoName, hostError } from '../errors.ts'
import type { HostErrorCode } from '../errors.ts'
import type { LazySyscalls } from '../syscalls.ts'
import { decodeReplies, encodeRequest, errnoOfAck, NLMSG_DONE, NLMSG_ERROR, textOfAck } from './message.ts'
import type { NetlinkReply, NetlinkRequest } from './message.ts'

/** A netlink socket of the namespace it was opened in. The kernel answers before send(2) returns, so nothing here ever waits. */
export interface NetlinkSocket extends Disposable {
  /** Sends all in one datagram and gives the outcome of each: undefined, or what the kernel had against it. */
  batch(requests: readonly NetlinkRequest[]): readonly (NetlinkRefusal | undefined)[]
  /** Sends all between the two that frame them; gives what the kernel had against the first that it refused, and then did none of them. */
  transaction(begin: NetlinkRequest, requests: readonly NetlinkRequest[], end: NetlinkRequest): NetlinkRefusal | undefined
  /** The replies to a single question, or its refusal. */
  ask(request: NetlinkRequest): readonly NetlinkReply[] | NetlinkRefusal
}

export interface NetlinkRefusal {
  readonly errno: number
  readonly text: string
}

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12
const SOL_SOCKET = 1
const SO_RCVTIMEO = 20
const SOL_NETLINK = 270
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
/** Room for the largest datagram of a dump: the kernel fills up to 32 KB. */
const RECEIVE_BYTES = 65_536
/** Should the kernel ever owe us an answer, fail rather than hang the event loop. */
const RECEIVE_TIMEOUT_S = 2

export function openNetlink(calls: LazySyscalls, protocol: number = NETLINK_ROUTE): NetlinkSocket {
  const c = calls()
  const fd = c.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)
  if (fd < 0) throw errnoError('host.link_failed', `open a netlink socket (protocol ${protocol})`, c.errno())
  const on = Buffer.from([1, 0, 0, 0])
  const timeout = Buffer.alloc(16)
  timeout.writeBigInt64LE(BigInt(RECEIVE_TIMEOUT_S), 0)
  c.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length)
  c.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, on, on.length)
  c.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, on, on.length)
  const buffer = Buffer.alloc(RECEIVE_BYTES)
  let sequence = 0

  const send = (requests: readonly NetlinkRequest[]): number => {
    const first = sequence + 1
    const bytes = Buffer.concat(requests.map((request) => encodeRequest(request, (sequence += 1))))
    if (c.send(fd, bytes, bytes.length, 0) < 0) throw errnoError('host.link_failed', 'send to the netlink socket', c.errno())
    return first
  }
  const receive = (): readonly NetlinkReply[] => {
    const length = c.recv(fd, buffer, buffer.length, 0)
    if (length < 0) {
      const errno = c.errno()
      if (errnoName(errno) === 'EINTR') return []
      throw errnoError('host.link_failed', 'receive from the netlink socket', errno)
    }
    // A copy: the next datagram overwrites the buffer.
    return decodeReplies(Buffer.from(buffer.subarray(0, length)))
  }
  return {
    batch: (requests) => {
      if (requests.length === 0) return []
      const first = send(requests)
      const outcomes = new Map<number, NetlinkRefusal | undefined>()
      while (outcomes.size < requests.length)
        for (const reply of receive())
          if (reply.type === NLMSG_ERROR && reply.sequence >= first) outcomes.set(reply.sequence - first, refusalOf(reply))
      return requests.map((_, at) => outcomes.get(at))
    },
    transaction: (begin, requests, end) => {
      const first = send([begin, ...requests, end])
      const done = new Set<number>()
      while (done.size < requests.length)
        for (const reply of receive()) {
          if (reply.type !== NLMSG_ERROR || reply.sequence < first) continue
          const refusal = refusalOf(reply)
          // What is refused at the end is said of the frame.
          if (refusal !== undefined) return refusal
          done.add(reply.sequence)
        }
      return undefined
    },
    ask: (request) => {
      const asked = send([request])
      const replies: NetlinkReply[] = []
      for (;;)
        for (const reply of receive()) {
          if (reply.sequence !== asked) continue
          if (reply.type === NLMSG_DONE) return replies
          if (reply.type === NLMSG_ERROR) return refusalOf(reply) ?? replies
          replies.push(reply)
        }
    },
    [Symbol.dispose]: () => void c.close(fd),
  }
}

function refusalOf(reply: NetlinkReply): NetlinkRefusal | undefined {
  const errno = errnoOfAck(reply)
  return errno === 0 ? undefined : { errno, text: textOfAck(reply) }
}

export function isRefusal(answer: readonly NetlinkReply[] | NetlinkRefusal): answer is NetlinkRefusal {
  return 'errno' in answer
}

/** Does all of it or throws about the first part that the kernel refused. */
export function mustBatch(
  socket: NetlinkSocket,
  what: string,
  parts: readonly { readonly doing: string; readonly request: NetlinkRequest }[],
): void {
  const outcomes = socket.batch(parts.map(({ request }) => request))
  outcomes.forEach((refusal, at) => {
    if (refusal !== undefined) throw refusedError(`${what}: ${parts[at]?.doing ?? ''}`, refusal)
  })
}

export function refusedError(what: string, { errno, text }: NetlinkRefusal, code: HostErrorCode = 'host.link_failed') {
  const name = errnoName(errno)
  if (name === 'EEXIST')
    return hostError(code, `${what}: it exists already${text === '' ? '' : ` (${text})`}`, {
      details: { errno: name },
    })
  return errnoError(code, what, errno, text)
}
