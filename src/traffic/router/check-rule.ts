import type { RouteRule } from '#cluster/spec'

import { isNetwork } from './networks.ts'
import { isWord } from './words.ts'

type Refuse = (message: string) => void

const HOST = /^(\*\.)?([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/i
/** RFC 9110, section 5.6.2: a token. */
const TOKEN = /^[!#$%&'*+.^_`|~A-Za-z0-9-]{1,200}$/
/** RFC 3986, section 3.3: what a path may hold, less `;` and `'`, which the proxy's runtime socket reads as its own. */
const PATH = /^\/[A-Za-z0-9._~!$&()*+,=:@%/-]{0,1000}$/
const MAX_TEXT = 4000
const MAX_NETWORKS = 1000
const MAX_HOSTS = 500
const MAX_HEADERS = 100
const MAX_USERS = 500
const DAY_MS = 86_400_000

/** Headers that say how long a message is or how a connection goes on: whoever sets them breaks it. */
const OWN_HEADERS = ['connection', 'content-length', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

/** What HAProxy could not carry, or would carry differently from what is said. */
export function checkRule(mode: 'http' | 'tcp', rule: RouteRule, refuse: Refuse): void {
  checkMatch(mode, rule, refuse)
  if (rule.replacePath !== undefined && !PATH.test(rule.replacePath))
    refuse(`replacePath: ${quoted(rule.replacePath)} is not a path`)
  checkHeaders('requestHeaders', rule.requestHeaders, refuse)
  checkHeaders('responseHeaders', rule.responseHeaders, refuse)
  checkClients(rule, refuse)
  checkNumbers(rule, refuse)
  checkRedirect(rule, refuse)
  if (mode === 'tcp') checkTcp(rule, refuse)
  if (rule.sticky !== null && !TOKEN.test(rule.sticky.cookie)) refuse(`${quoted(rule.sticky.cookie)} is not a name for a cookie`)
  if (rule.unavailableText !== '') checkText('unavailableText', rule.unavailableText, refuse)
}

function checkMatch(mode: 'http' | 'tcp', { hosts, path, tls }: RouteRule, refuse: Refuse): void {
  if (hosts.length > MAX_HOSTS) refuse(`${hosts.length} hosts are more than ${MAX_HOSTS}`)
  for (const host of hosts) if (host.length > 253 || !HOST.test(host)) refuse(`${quoted(host)} is not the name of a host`)
  if (!PATH.test(path.value)) refuse(`${quoted(path.value)} is not a path`)
  if (mode === 'tcp' && (path.value !== '/' || path.type !== 'prefix')) refuse('a tcp route has no path')
  if (tls === null) return
  const { certificate, redirectFromPort } = tls
  if (redirectFromPort !== null && !isWhole(redirectFromPort, 1, 65_535)) refuse(`${redirectFromPort} is not a port`)
  if (certificate.type !== 'files' && hosts.length === 0) refuse(`a certificate of type ${certificate.type} needs hosts`)
  if (certificate.type !== 'acme') return
  if (redirectFromPort === null)
    refuse('a certificate of type acme needs a port for plain HTTP (redirectFromPort): the proof is asked for there')
  if (hosts.some((host) => host.startsWith('*.')))
    refuse('a certificate of type acme cannot be for a wildcard: http-01 does not prove it')
}

function checkHeaders(field: string, { set, remove }: RouteRule['requestHeaders'], refuse: Refuse): void {
  const names = [...Object.keys(set), ...remove]
  if (names.length > MAX_HEADERS) refuse(`${field}: ${names.length} are more than ${MAX_HEADERS}`)
  for (const name of names) {
    if (!TOKEN.test(name)) refuse(`${field}: ${quoted(name)} is not a name for a header`)
    if (OWN_HEADERS.includes(name.toLowerCase())) refuse(`${field}: ${name} is the proxy's own to say`)
  }
  for (const [name, value] of Object.entries(set)) {
    if (value !== value.trim() || /[\n\t]/.test(value)) refuse(`${field}: ${name}: ${quoted(value)} is not a value for a header`)
    checkText(`${field}: ${name}`, value, refuse)
  }
}

function checkClients({ allow, deny, trustedProxies, basicAuth }: RouteRule, refuse: Refuse): void {
  const networks = [...allow, ...deny, ...trustedProxies]
  if (networks.length > MAX_NETWORKS) refuse(`${networks.length} networks are more than ${MAX_NETWORKS}`)
  for (const network of networks) if (!isNetwork(network)) refuse(`${quoted(network)} is not a network`)
  if (basicAuth === null) return
  if (!/^[A-Za-z0-9 ._:/-]{1,100}$/.test(basicAuth.realm)) refuse(`${quoted(basicAuth.realm)} is not a realm`)
  if (basicAuth.users.length === 0 || basicAuth.users.length > MAX_USERS)
    refuse(`${basicAuth.users.length} users, and not 1 to ${MAX_USERS}`)
  for (const { name, hash } of basicAuth.users) {
    if (!/^[A-Za-z0-9_.@+-]{1,100}$/.test(name)) refuse(`${quoted(name)} is not a name for a user`)
    // The hash itself is a secret of sorts: not repeated.
    if (!/^\$[56]\$(rounds=\d{4,7}\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{43,86}$/.test(hash))
      refuse(`user ${name}: the hash is not of the form $5$ or $6$`)
  }
  if (new Set(basicAuth.users.map((user) => user.name)).size < basicAuth.users.length) refuse('two users have the same name')
}

function checkNumbers(rule: RouteRule, refuse: Refuse): void {
  const check = (field: string, value: number | null, least: number, most: number) => {
    if (value !== null && !isWhole(value, least, most))
      refuse(`${field}: ${value} is not a whole number from ${least} to ${most}`)
  }
  check('rateLimit.requests', rule.rateLimit?.requests ?? null, 1, 1_000_000)
  check('rateLimit.perMs', rule.rateLimit?.perMs ?? null, 1000, DAY_MS)
  check('maxConnections', rule.maxConnections, 1, 1_000_000)
  check('maxConnectionsPerTask', rule.maxConnectionsPerTask, 1, 1_000_000)
  check('sticky.maxAgeMs', rule.sticky?.maxAgeMs ?? null, 1000, 400 * DAY_MS)
  check('retries', rule.retries, 0, 10)
  check('slowStartMs', rule.slowStartMs, 0, DAY_MS)
  check('maxBodyBytes', rule.maxBodyBytes, 0, 2 ** 50)
  for (const [name, value] of Object.entries(rule.timeouts)) check(`timeouts.${name}`, value, 1, 20 * DAY_MS)
}

function checkRedirect({ redirect }: RouteRule, refuse: Refuse): void {
  if (redirect === null) return
  const { host, port, path, scheme } = redirect
  if (host !== null && (host.startsWith('*') || host.length > 253 || !HOST.test(host)))
    refuse(`redirect: ${quoted(host)} is not the name of a host`)
  if (port !== null && !isWhole(port, 1, 65_535)) refuse(`redirect: ${port} is not a port`)
  if (path !== null && !PATH.test(path)) refuse(`redirect: ${quoted(path)} is not a path`)
  if (host === null && port === null && path === null && scheme === null) refuse('redirect: leads to where it came from')
}

/** What only requests have. */
function checkTcp(rule: RouteRule, refuse: Refuse): void {
  const given = {
    redirect: rule.redirect !== null,
    replacePath: rule.replacePath !== undefined,
    requestHeaders: hasHeaders(rule.requestHeaders),
    responseHeaders: hasHeaders(rule.responseHeaders),
    basicAuth: rule.basicAuth !== null,
    sticky: rule.sticky !== null,
    isCompressed: rule.isCompressed,
    trustedProxies: rule.trustedProxies.length > 0,
    maxBodyBytes: rule.maxBodyBytes !== null,
    unavailableText: rule.unavailableText !== '',
  }
  for (const [field, isGiven] of Object.entries(given)) if (isGiven) refuse(`${field} is for http, and this route is tcp`)
}

function hasHeaders({ set, remove }: RouteRule['requestHeaders']): boolean {
  return remove.length > 0 || Object.keys(set).length > 0
}

function checkText(field: string, text: string, refuse: Refuse): void {
  if (!isWord(text) || text.length > MAX_TEXT)
    refuse(`${field}: empty, longer than ${MAX_TEXT} characters, or with control characters in it`)
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
