import type { Random } from '#base'

import type { networkError } from '../errors.ts'
import { addressOfReverseName, decodeQuery, DNS_CODE, DNS_TYPE, encodeReply } from './message.ts'
import type { DnsAnswer, DnsQuery } from './message.ts'

/** What is known about a name: addresses of both families, in any order. Undefined: not one of ours. */
export interface NameLookup {
  resolve(sandboxId: string, name: string): readonly string[] | undefined
  /** The full name behind an address. */
  reverse(sandboxId: string, address: string): string | undefined
  /** Asks the outer world; undefined when the sandbox must not. */
  forward: ((message: Buffer, transport: Transport) => Promise<Buffer>) | undefined
  /** Told of each name without an answer: there is none, or whoever would know is silent. */
  unanswered?: (name: string, kind: UnansweredKind) => void
}

export type UnansweredKind = 'unknown' | 'silent'

export type Transport = 'udp' | 'tcp'

/** Containers come and go, with another address each time: whoever caches names shall ask again soon. */
const TIME_TO_LIVE_S = 5

/** Of the code in an answer's header (RFC 1035 section 4.1.1). */
const CODE_AT = 3
const CODE_BITS = 0xf

/** The whole reply to a query, or undefined for what deserves none. */
export async function answerQuery(
  message: Buffer,
  options: { readonly sandboxId: string; readonly transport: Transport; readonly lookup: NameLookup; readonly random: Random },
): Promise<Buffer | undefined> {
  const query = tryDecode(message)
  if (query === undefined) return undefined
  const { sandboxId, transport, lookup, random } = options
  const reply = (code: number, answers: readonly DnsAnswer[] = []) =>
    encodeReply(query, { code, answers, timeToLiveS: TIME_TO_LIVE_S }, transport === 'udp' ? query.maxUdpBytes : 65_535)
  if (query.operation !== 0) return reply(DNS_CODE.notImplemented)
  if (query.isInternetClass) {
    const own = ownAnswers(query, sandboxId, lookup)
    if (own !== undefined) return reply(DNS_CODE.noError, shuffled(own, random))
  }
  if (lookup.forward === undefined) {
    lookup.unanswered?.(query.name, 'unknown')
    return reply(DNS_CODE.nameError)
  }
  try {
    const answer = await lookup.forward(message, transport)
    const code = (answer[CODE_AT] ?? 0) & CODE_BITS
    if (code === DNS_CODE.nameError) lookup.unanswered?.(query.name, 'unknown')
    else if (code === DNS_CODE.serverFailure) lookup.unanswered?.(query.name, 'silent')
    return answer
  } catch {
    lookup.unanswered?.(query.name, 'silent')
    // Whatever went wrong outside, this is the answer that makes a client try again.
    return reply(DNS_CODE.serverFailure)
  }
}

/** Anything that is not a query may be noise or an attack; an answer to it would only help the latter. */
function tryDecode(message: Buffer): DnsQuery | undefined {
  try {
    return decodeQuery(message)
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      error.code === ('network.dns_malformed' satisfies keyof typeof networkError.codes)
    )
      return undefined
    throw error
  }
}

/** A name of ours has no record of another type: an empty answer, so that nobody outside is asked about it. */
function ownAnswers(query: DnsQuery, sandboxId: string, lookup: NameLookup): readonly DnsAnswer[] | undefined {
  if (query.type === DNS_TYPE.ptr) {
    const address = addressOfReverseName(query.name)
    const name = address === undefined ? undefined : lookup.reverse(sandboxId, address)
    return name === undefined ? undefined : [{ type: 'name', name }]
  }
  const addresses = lookup.resolve(sandboxId, query.name)
  if (addresses === undefined) return undefined
  const isAsked = (address: string) =>
    query.type === DNS_TYPE.any || query.type === (address.includes(':') ? DNS_TYPE.aaaa : DNS_TYPE.a)
  return addresses.filter(isAsked).map((address) => ({ type: 'address', address }))
}

/** Clients take the first address: every one shall come first sometimes. */
export function shuffled<T>(values: readonly T[], random: Random): readonly T[] {
  const mixed = [...values]
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = random.integer(last + 1)
    const [a, b] = [mixed[last], mixed[other]]
    if (a !== undefined && b !== undefined) [mixed[last], mixed[other]] = [b, a]
  }
  return mixed
}
