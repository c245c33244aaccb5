import type { Line } from './words.ts'

/**
 * Rings of lines in the proxy's memory, read through its runtime socket: nothing is written anywhere while nobody reads, and the oldest give way. Of
 * `samples` the daemon takes a look each second: whoever waits there for each line is woken for it, which costs more than a whole request.
 */
export const SAMPLE_RING = 'samples'
/** Some 3,000 lines: more than a second's, below 50,000 requests a second. */
export const SAMPLE_RING_BYTES = 256 * 1024
export const ACCESS_RING = 'access'
/** Some 20,000 requests of usual length. */
export const ACCESS_RING_BYTES = 4 * 1024 * 1024

export function logTo(ring: string): Line {
  return ['log', `ring@${ring}`, 'len', '4096', 'format', 'raw', 'local0']
}

/** What figures are made of. The first number counts the lines of an entry, so that none is taken twice. */
const SAMPLE_FIELDS = ['h', '%lc', '%f', '%[fe_req_rate]', '%[var(txn.access)]', '%b', '%s', '%ST', '%Tr']

export const SAMPLE_LOG = SAMPLE_FIELDS.join('\t')

/**
 * Fields with tabs between them. What a client chooses comes last and cannot hold a tab, whatever it sends: method and address are written encoded by
 * HAProxy, the others through its JSON converter.
 */
export const HTTP_LOG = [
  ...SAMPLE_FIELDS,
  '%ms',
  '%Ts',
  '%Ta',
  '%U',
  '%B',
  '%tsc',
  '%rc',
  '%[var(txn.client)]',
  '%ci',
  '%[ssl_fc_protocol]',
  '%HV',
  '%HM',
  '%HU',
  '%[var(txn.host)]',
  '%[var(txn.agent)]',
].join('\t')

export const TCP_LOG = ['t', '%[var(txn.access)]', '%ms', '%Ts', '%b', '%s', '%Tt', '%U', '%B', '%tsc', '%rc', '%ci'].join('\t')

/** Requests a second of an entry above which one of so many is told of: the daemon has other things to do, and percentiles do not need more. */
const BUSY_RATE = 400
const BUSY_SAMPLE = 16

/** For how many requests a line stands. A request that came at one rate and ended at another is counted a little wrong. */
export function weightOf(ratePerSecond: number, isForAccessLog: boolean): number {
  return isForAccessLog || ratePerSecond <= BUSY_RATE ? 1 : BUSY_SAMPLE
}

/** One rule: it is paid for by every request. Routes with an access log take it back for themselves. */
export const SAMPLING: readonly Line[] = [
  [
    'http-request',
    'set-log-level',
    'silent',
    'if',
    '{',
    'fe_req_rate',
    'gt',
    `${BUSY_RATE}`,
    '}',
    '!{',
    `rand(${BUSY_SAMPLE})`,
    '0',
    '}',
  ],
]

/** All requests of a route, with what only the access log needs. */
export const ACCESS_LOG_HTTP: readonly Line[] = [
  ['http-request', 'set-var(txn.access)', 'int(1)'],
  ['http-request', 'set-var(txn.host)', 'req.hdr(host),json(utf8s)'],
  ['http-request', 'set-var(txn.agent)', 'req.hdr(user-agent),json(utf8s)'],
  ['http-request', 'set-log-level', 'info'],
]
export const ACCESS_LOG_TCP: readonly Line[] = [['tcp-request', 'content', 'set-var(txn.access)', 'int(1)']]
