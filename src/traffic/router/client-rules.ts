import type { RouteRule } from '#cluster/spec'

import type { Line, Section } from './words.ts'

/** Clients of one route that are remembered: some 10 MB. */
const MAX_CLIENTS = '100k'
/** Networks in one line. */
const MAX_IN_LINE = 40
/** So long a password that was right is not hashed again: one hash takes milliseconds, in which the proxy does nothing else. */
const AUTH_MEMORY = '5m'
const MAX_LOGINS = '1k'

/** Who comes in: whose address counts, who is let in, how often, and with what password. Before all else. */
export function clientLines(section: string, rule: RouteRule, entry: EntryPlace): readonly Line[] {
  return [
    ...addressLines(rule, entry),
    ...networkLines(rule, ['http-request', 'deny', 'deny_status', '403']),
    ...connectionLines(rule, ['http-request', 'deny', 'deny_status', '503']),
    ...rateLines(rule, 'http_req_rate', ['http-request', 'track-sc0'], ['http-request', 'deny', 'deny_status', '429']),
    ...authLines(section, rule),
  ]
}

export function tcpClientLines(rule: RouteRule): readonly Line[] {
  return [
    ...networkLines(rule, ['tcp-request', 'content', 'reject']),
    ...connectionLines(rule, ['tcp-request', 'content', 'reject']),
    ...rateLines(rule, 'conn_rate', ['tcp-request', 'content', 'track-sc0'], ['tcp-request', 'content', 'reject']),
  ]
}

/**
 * What somebody who is not trusted says of the client is not passed on. The trusted's last word is taken for the client's address from here on. Every
 * request pays for each of these lines.
 */
function addressLines(rule: RouteRule, entry: EntryPlace): readonly Line[] {
  if (rule.trustedProxies.length > 0) return trustingLines(rule, entry)
  return [
    ['option', 'forwardfor'],
    ['http-request', 'del-header', 'X-Forwarded-', '-m', 'beg'],
    ['http-request', 'add-header', 'X-Forwarded-Proto', entry.scheme],
    ['http-request', 'add-header', 'X-Forwarded-Host', '%[req.hdr(host)]'],
    ...standardLines(entry, []),
  ]
}

function trustingLines({ trustedProxies }: RouteRule, entry: EntryPlace): readonly Line[] {
  const forwarded = 'X-Forwarded-For'
  const trusted = ['if', '{', 'var(txn.trusted)', '-m', 'bool', '}']
  const stranger = ['!{', 'var(txn.trusted)', '-m', 'bool', '}']
  return [
    ...networkAcl('trusted', trustedProxies),
    ['http-request', 'set-var(txn.trusted)', 'bool(true)', 'if', 'trusted', '{', 'req.hdr(x-forwarded-for)', '-m', 'found', '}'],
    ['http-request', 'del-header', 'X-Forwarded-', '-m', 'beg', 'if', ...stranger],
    ['http-request', 'add-header', 'X-Forwarded-Proto', entry.scheme, 'if', ...stranger],
    ['http-request', 'add-header', 'X-Forwarded-Host', '%[req.hdr(host)]', 'if', ...stranger],
    ...standardLines(entry, stranger),
    ['http-request', 'add-header', forwarded, '%[src]'],
    ['http-request', 'set-src', 'req.hdr_ip(x-forwarded-for,-2)', ...trusted],
    ['http-request', 'set-var(txn.client)', 'src'],
  ]
}

/** RFC 7239: an IPv6 address stands in brackets and quotes. */
function standardLines({ scheme, families }: EntryPlace, condition: readonly string[]): readonly Line[] {
  const set = (address: string): Line => ['http-request', 'set-header', 'Forwarded', `for=${address};proto=${scheme}`]
  const four = set('%[src]')
  const six = set('"[%[src]]"')
  if (families !== 'both') return [[...(families === 4 ? four : six), ...(condition.length === 0 ? [] : ['if', ...condition])]]
  return [
    [...four, 'if', ...condition, '{', 'src', '0.0.0.0/0', '}'],
    [...six, 'if', ...condition, '!{', 'src', '0.0.0.0/0', '}'],
  ]
}

/** Where a route's clients come in. */
export interface EntryPlace {
  readonly scheme: 'http' | 'https'
  readonly families: 4 | 6 | 'both'
}

function networkAcl(name: string, networks: readonly string[]): readonly Line[] {
  const lines: Line[] = []
  for (let start = 0; start < networks.length; start += MAX_IN_LINE) {
    lines.push(['acl', name, 'src', ...networks.slice(start, start + MAX_IN_LINE)])
  }
  return lines
}

function networkLines({ allow, deny }: RouteRule, refuse: Line): readonly Line[] {
  return [
    ...(allow.length === 0 ? [] : [...networkAcl('allowed', allow), [...refuse, 'unless', 'allowed']]),
    ...(deny.length === 0 ? [] : [...networkAcl('denied', deny), [...refuse, 'if', 'denied']]),
  ]
}

function connectionLines({ maxConnections }: RouteRule, refuse: Line): readonly Line[] {
  return maxConnections === null ? [] : [[...refuse, 'if', '{', 'be_conn', 'gt', `${maxConnections}`, '}']]
}

/** A client is an address; of IPv6, where everybody has many, a network of /64. */
function rateLines({ rateLimit }: RouteRule, counter: 'http_req_rate' | 'conn_rate', track: Line, refuse: Line): readonly Line[] {
  if (rateLimit === null) return []
  const period = `${rateLimit.perMs}ms`
  return [
    ['stick-table', 'type', 'ipv6', 'size', MAX_CLIENTS, 'expire', period, 'store', `${counter}(${period})`],
    [...track, 'src,ipmask(32,64)'],
    [...refuse, 'if', '{', `sc0_${counter}`, 'gt', `${rateLimit.requests}`, '}'],
  ]
}

function userList(section: string): string {
  return `users-${section}`
}

function authTable(section: string): string {
  return `logins-${section}`
}

function authLines(section: string, { basicAuth }: RouteRule): readonly Line[] {
  if (basicAuth === null) return []
  const known = ['{', `var(txn.login),table_gpc0(${authTable(section)})`, 'gt', '0', '}']
  const right = `{ http_auth(${userList(section)}) }`.split(' ')
  return [
    [
      'http-request',
      'set-var(txn.login)',
      'req.hdr(authorization),sha2(256),hex',
      'if',
      '{',
      'req.hdr(authorization)',
      '-m',
      'found',
      '}',
    ],
    ['http-request', 'set-var(txn.user)', 'bool(true)', 'if', ...known],
    ['http-request', 'set-var(txn.user)', 'bool(true)', 'if', '!{', 'var(txn.user)', '-m', 'found', '}', ...right],
    ['http-request', 'auth', 'realm', basicAuth.realm, 'unless', '{', 'var(txn.user)', '-m', 'found', '}'],
    ['http-request', 'track-sc1', 'var(txn.login)', 'table', authTable(section)],
    ['http-request', 'sc-inc-gpc0(1)', 'unless', ...known],
  ]
}

/** Sections that a route's passwords need. */
export function authSections(section: string, { basicAuth }: RouteRule): readonly Section[] {
  if (basicAuth === null) return []
  return [
    {
      kind: 'userlist',
      name: userList(section),
      lines: basicAuth.users.map(({ name, hash }) => ['user', name, 'password', hash]),
    },
    {
      kind: 'backend',
      name: authTable(section),
      lines: [
        ['mode', 'http'],
        ['stick-table', 'type', 'string', 'len', '64', 'size', MAX_LOGINS, 'expire', AUTH_MEMORY, 'store', 'gpc0'],
      ],
    },
  ]
}
