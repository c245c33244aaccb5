import type { Line } from './words.ts'

/** Told through the runtime socket: nothing is written anywhere while nobody reads, and the oldest lines give way. */
export const ACCESS_RING_NAME = 'access'
export const ACCESS_RING = `ring@${ACCESS_RING_NAME}`
/** Some 20,000 requests of usual length. */
export const RING_BYTES = 4 * 1024 * 1024

/**
 * Fields with tabs between them. What a client chooses comes last and cannot hold a tab, whatever it sends: method and address are written encoded by HAProxy, the
 * others through its JSON converter. The first says for how many requests the line stands, and whether it is for the access log.
 */
export const HTTP_LOG = [
  'h',
  '%[var(txn.weight)]',
  '%[var(txn.access)]',
  '%ms',
  '%Ts',
  '%b',
  '%s',
  '%ST',
  '%Tr',
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

/** Requests a second above which one of so many is told of: the daemon has other things to do, and percentiles do not need more. */
const SOME = { rate: 200, one: 4 }
const MANY = { rate: 2000, one: 32 }

/** Each line says what it stands for, so that the figures stay true when the rate changes. Routes with an access log take this back for themselves. */
export const SAMPLING: readonly Line[] = [
  ['http-request', 'set-var(txn.weight)', 'int(1)'],
  ['http-request', 'set-var(txn.weight)', `int(${SOME.one})`, 'if', '{', 'fe_req_rate', 'gt', `${SOME.rate}`, '}'],
  ['http-request', 'set-var(txn.weight)', `int(${MANY.one})`, 'if', '{', 'fe_req_rate', 'gt', `${MANY.rate}`, '}'],
  sample(SOME.one),
  sample(MANY.one),
]

function sample(one: number): Line {
  return [
    'http-request',
    'set-log-level',
    'silent',
    'if',
    '{',
    'var(txn.weight)',
    '-m',
    'int',
    `${one}`,
    '}',
    '!{',
    `rand(${one})`,
    '0',
    '}',
  ]
}

/** All requests of a route, with what only the access log needs. */
export const ACCESS_LOG_HTTP: readonly Line[] = [
  ['http-request', 'set-var(txn.weight)', 'int(1)'],
  ['http-request', 'set-var(txn.access)', 'int(1)'],
  ['http-request', 'set-var(txn.host)', 'req.hdr(host),json(utf8s)'],
  ['http-request', 'set-var(txn.agent)', 'req.hdr(user-agent),json(utf8s)'],
  ['http-request', 'set-log-level', 'info'],
]
export const ACCESS_LOG_TCP: readonly Line[] = [['tcp-request', 'content', 'set-var(txn.access)', 'int(1)']]
