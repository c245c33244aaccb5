import { isIP } from 'node:net'

import { type Field, withoutNulls } from './fields.ts'
import { hostPath } from './paths.ts'
import { PLAIN_RULE } from './plain-rule.ts'
import type {
  HeaderChangeSpec,
  RouteRedirectSpec,
  RouteRule,
  RouteSpec,
  RouteTargetSpec,
  RouteTimeouts,
  RouteTlsSpec,
} from './route-model.ts'

const HTTP_PORT = 80
const HTTPS_PORT = 443
const MAX_PORT = 65_535
const MAX_DAY_MS = 86_400_000
/** Where most certificates come from. */
const ACME_DIRECTORY = 'https://acme-v02.api.letsencrypt.org/directory'

/** `x-glovebox: routes:` at the top, and of services, where `service` is the service itself. */
export function readRoutes(file: Field, services: readonly string[]): readonly RouteSpec[] {
  const own = services.map((name) => [name, file.child('services').child(name).child('x-glovebox').child('routes')] as const)
  const seen = new Set<string>()
  return [[null, file.child('x-glovebox').child('routes')] as const, ...own].flatMap(([service, routes]) =>
    routes.items().flatMap((item, index) => {
      const route = readRoute(item, service, service === null ? `route-${index + 1}` : `${service}-${index + 1}`, services)
      if (seen.has(route.name)) item.refuse(`two routes are called ${JSON.stringify(route.name)}`)
      seen.add(route.name)
      return [route]
    }),
  )
}

function readRoute(item: Field, service: string | null, otherwise: string, services: readonly string[]): RouteSpec {
  const name = item.child('name').text() ?? otherwise
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(name))
    item.refuse(`${JSON.stringify(name)} is not a name for a route: letters, digits, - and _, at most 63`)
  const mode = item.child('mode').oneOf(['http', 'tcp']) ?? 'http'
  const rule = readRule(item)
  const port = item.child('port').whole({ min: 1, max: MAX_PORT })
  if (mode === 'tcp' && port === null) item.refuse('a route of the mode tcp needs a "port"')
  const hostIp = item.child('address').text() ?? ''
  if (hostIp !== '' && isIP(hostIp) === 0) item.child('address').refuse(`${JSON.stringify(hostIp)} is not an address`)
  return {
    name,
    hostIp,
    port: port ?? (rule.tls === null ? HTTP_PORT : HTTPS_PORT),
    mode,
    targets: readTargets(item, service, services, rule.redirect !== null),
    rule,
  }
}

function readTargets(
  route: Field,
  service: string | null,
  services: readonly string[],
  isRedirected: boolean,
): readonly RouteTargetSpec[] {
  const targets = route.child('targets')
  const short = route.child('service').text() ?? service
  const port = route.child('target_port').whole({ min: 1, max: MAX_PORT })
  if (targets.isPresent) {
    const read = targets.items().flatMap((item) => readTarget(item, service, services))
    const names = read.map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) < index)
    if (twice !== undefined) targets.refuse(`two targets are called ${JSON.stringify(twice)}: give them a "name"`)
    return read
  }
  if (port !== null && short !== null) {
    checkService(route, short, services)
    return [{ type: 'service', name: short, service: short, containerPort: port, share: 1 }]
  }
  if (!isRedirected) route.refuse('leads nowhere: it needs a "service" with a "target_port", "targets", or a "redirect"')
  return []
}

function readTarget(item: Field, own: string | null, services: readonly string[]): readonly RouteTargetSpec[] {
  const address = item.child('address').text()
  const service = item.child('service').text() ?? (address === null ? own : null)
  const port = item.child('port').whole({ min: 1, max: MAX_PORT })
  const share = item.child('share').decimal() ?? 1
  if (share < 0) item.child('share').refuse(`a share is not less than 0, as ${share} is`)
  if ((address === null) === (service === null)) item.refuse('a target is either a "service" or an "address"')
  if (port === null) return []
  const name = item.child('name').text()
  if (address !== null) return [{ type: 'address', name: name ?? address, host: address, port, share }]
  if (service === null) return []
  checkService(item, service, services)
  return [{ type: 'service', name: name ?? service, service, containerPort: port, share }]
}

function checkService(place: Field, service: string, services: readonly string[]): void {
  if (!services.includes(service)) place.refuse(`leads to the service "${service}", which the file does not have`)
}

function readRule(item: Field): RouteRule {
  const text = (name: string) => item.child(name).text()
  const replacePath = text('replace_path')
  if (replacePath !== null && !replacePath.startsWith('/'))
    item.child('replace_path').refuse(`path ${JSON.stringify(replacePath)} must begin with /`)
  const flag = (name: string, otherwise: boolean) => item.child(name).flag() ?? otherwise
  return {
    hosts: item.child('hosts').texts(),
    path: readPath(item.child('path')),
    tls: readTls(item.child('tls')),
    redirect: readRedirect(item.child('redirect')),
    ...(replacePath === null ? {} : { replacePath }),
    requestHeaders: readHeaders(item.child('request_headers')),
    responseHeaders: readHeaders(item.child('response_headers')),
    allow: item.child('allow').texts(),
    deny: item.child('deny').texts(),
    basicAuth: readBasicAuth(item.child('basic_auth')),
    rateLimit: readRateLimit(item.child('rate_limit')),
    maxConnections: item.child('max_connections').whole({ min: 1 }),
    maxConnectionsPerTask: item.child('max_connections_per_task').whole({ min: 1 }),
    sticky: readSticky(item.child('sticky')),
    balance: item.child('balance').oneOf(['least-connections', 'round-robin']) ?? PLAIN_RULE.balance,
    isCompressed: flag('compress', PLAIN_RULE.isCompressed),
    trustedProxies: item.child('trusted_proxies').texts(),
    hasProxyProtocol: flag('proxy_protocol', PLAIN_RULE.hasProxyProtocol),
    sendProxyProtocol: item.child('send_proxy_protocol').oneOf(['no', 'v1', 'v2']) ?? PLAIN_RULE.sendProxyProtocol,
    retries: item.child('retries').whole({ max: 100 }) ?? PLAIN_RULE.retries,
    slowStartMs: item.child('slow_start').durationMs() ?? PLAIN_RULE.slowStartMs,
    timeouts: readTimeouts(item.child('timeouts')),
    maxBodyBytes: item.child('max_body').bytes(),
    hasAccessLog: flag('access_log', PLAIN_RULE.hasAccessLog),
    unavailableText: text('unavailable_text') ?? PLAIN_RULE.unavailableText,
  }
}

/** A text is a prefix. */
function readPath(path: Field): RouteRule['path'] {
  if (!path.isPresent) return PLAIN_RULE.path
  const exact = path.isMapping() ? path.child('exact').text() : null
  const value = exact ?? (path.isMapping() ? path.child('prefix').text() : path.text()) ?? '/'
  if (!value.startsWith('/')) path.refuse(`path ${JSON.stringify(value)} must begin with /`)
  return { type: exact === null ? 'prefix' : 'exact', value }
}

/** `own`, `acme`, or a mapping that says where the certificate comes from. */
function readTls(tls: Field): RouteTlsSpec | null {
  if (!tls.isPresent) return null
  const plain = { minVersion: '1.2', redirectFromPort: HTTP_PORT } as const
  if (!tls.isMapping()) {
    const word = tls.oneOf(['own', 'acme'])
    return { certificate: word === 'acme' ? readAcme(tls) : { type: 'own' }, ...plain }
  }
  const [certificate, key] = [tls.child('certificate').text(), tls.child('key').text()]
  const acme = tls.child('acme')
  const isOwn = tls.child('own').flag() ?? false
  if ([certificate !== null, acme.isPresent, isOwn].filter(Boolean).length !== 1 || (certificate === null) !== (key === null))
    tls.refuse('"tls" needs one of "certificate" with "key", "acme" and "own"')
  const redirect = tls.child('redirect_from')
  const isOff = redirect.value === false || redirect.value === 'false'
  return {
    certificate:
      certificate !== null && key !== null
        ? {
            type: 'files',
            certificatePath: hostPath(tls.child('certificate').origin, certificate),
            keyPath: hostPath(tls.child('key').origin, key),
          }
        : acme.isPresent
          ? readAcme(acme)
          : { type: 'own' },
    minVersion: tls.child('min_version').oneOf(['1.2', '1.3']) ?? plain.minVersion,
    redirectFromPort: isOff ? null : (redirect.whole({ min: 1, max: MAX_PORT }) ?? plain.redirectFromPort),
  }
}

function readAcme(acme: Field): Extract<RouteTlsSpec['certificate'], { type: 'acme' }> {
  return { type: 'acme', directoryUrl: acme.child('directory').text() ?? ACME_DIRECTORY, email: acme.child('email').text() }
}

function readRedirect(redirect: Field): RouteRedirectSpec | null {
  if (!redirect.isPresent) return null
  const known = [301, 302, 307, 308] as const
  const status = redirect.child('status').whole()
  return {
    status: known.find((one) => one === status) ?? 308,
    scheme: redirect.child('scheme').oneOf(['http', 'https']),
    host: redirect.child('host').text(),
    port: redirect.child('port').whole({ min: 1, max: MAX_PORT }),
    path: redirect.child('path').text(),
  }
}

function readHeaders(headers: Field): HeaderChangeSpec {
  return { set: withoutNulls(headers.child('set').pairs()), remove: headers.child('remove').texts() }
}

function readBasicAuth(auth: Field): RouteRule['basicAuth'] {
  if (!auth.isPresent) return null
  const users = Object.entries(withoutNulls(auth.child('users').pairs())).map(([name, hash]) => ({ name, hash }))
  for (const { name, hash } of users)
    if (!/^\$[56]\$/.test(hash))
      auth
        .child('users')
        .child(name)
        .refuse('needs a hash of the form $5$ or $6$, as `openssl passwd -6` makes: write each $ twice')
  return { realm: auth.child('realm').text() ?? 'restricted', users }
}

function readRateLimit(limit: Field): RouteRule['rateLimit'] {
  const [requests, perMs] = [limit.child('requests').whole({ min: 1 }), limit.child('per').durationMs()]
  if (requests === null || perMs === null) return null
  if (perMs <= 0 || perMs > MAX_DAY_MS) limit.child('per').refuse('"per" is more than nothing, and at most a day')
  return { requests, perMs }
}

function readSticky(sticky: Field): RouteRule['sticky'] {
  if (!sticky.isPresent) return null
  if (!sticky.isMapping()) return { cookie: sticky.text() ?? '', maxAgeMs: null }
  return { cookie: sticky.child('cookie').text() ?? 'glovebox', maxAgeMs: sticky.child('max_age').durationMs() }
}

function readTimeouts(timeouts: Field): RouteTimeouts {
  const plain = PLAIN_RULE.timeouts
  const read = (name: string, otherwise: number) => timeouts.child(name).durationMs() ?? otherwise
  return {
    connectMs: read('connect', plain.connectMs),
    requestMs: read('request', plain.requestMs),
    idleMs: read('idle', plain.idleMs),
    tunnelMs: read('tunnel', plain.tunnelMs),
    keepAliveMs: read('keep_alive', plain.keepAliveMs),
    queueMs: read('queue', plain.queueMs),
  }
}
