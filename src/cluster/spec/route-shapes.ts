import type {
  BasicAuthSpec,
  CertificateSourceSpec,
  HeaderChangeSpec,
  RateLimitSpec,
  RouteRedirectSpec,
  RouteRule,
  RouteSpec,
  RouteTargetSpec,
  RouteTimeouts,
  RouteTlsSpec,
  StickySpec,
} from './route-model.ts'
import {
  aDuration,
  aFlag,
  aNumber,
  aText,
  aWhole,
  listOf,
  matching,
  objectOf,
  oneOf,
  orAbsent,
  orNull,
  type Shape,
  textMap,
  texts,
  variantsOf,
} from './shapes.ts'

/** Targets and users of one route: nobody writes more by hand. */
const MAX_PARTS = 200
const MAX_SHARE = 1_000_000

const port = aWhole(1, 65_535)
const routeName = matching(/^[A-Za-z0-9_-]{1,63}$/, 'a name of letters, digits, - and _, at most 63')
const targetName = matching(/^[A-Za-z0-9._-]{1,63}$/, 'a name of letters, digits, ., - and _, at most 63')

const target = variantsOf<RouteTargetSpec>({
  service: objectOf<Extract<RouteTargetSpec, { type: 'service' }>>({
    type: oneOf('service'),
    name: targetName,
    service: aText,
    containerPort: port,
    share: aNumber(0, MAX_SHARE),
  }),
  address: objectOf<Extract<RouteTargetSpec, { type: 'address' }>>({
    type: oneOf('address'),
    name: targetName,
    host: aText,
    port,
    share: aNumber(0, MAX_SHARE),
  }),
})

const tls = objectOf<RouteTlsSpec>({
  certificate: variantsOf<CertificateSourceSpec>({
    files: objectOf<Extract<CertificateSourceSpec, { type: 'files' }>>({
      type: oneOf('files'),
      certificatePath: aText,
      keyPath: aText,
    }),
    own: objectOf<Extract<CertificateSourceSpec, { type: 'own' }>>({ type: oneOf('own') }),
    acme: objectOf<Extract<CertificateSourceSpec, { type: 'acme' }>>({
      type: oneOf('acme'),
      directoryUrl: aText,
      email: orNull(aText),
    }),
  }),
  minVersion: oneOf('1.2', '1.3'),
  redirectFromPort: orNull(port),
})

const STATUSES: readonly RouteRedirectSpec['status'][] = [301, 302, 307, 308]

const status: Shape<RouteRedirectSpec['status']> = (value, place, complain): value is RouteRedirectSpec['status'] => {
  const isKnown = STATUSES.some((known) => known === value)
  if (!isKnown) complain(`${place} must be one of ${STATUSES.join(', ')}`)
  return isKnown
}

const headers = objectOf<HeaderChangeSpec>({ set: textMap, remove: texts })

const rule = objectOf<RouteRule>({
  hosts: texts,
  path: objectOf<RouteRule['path']>({ type: oneOf('prefix', 'exact'), value: matching(/^\//, 'a path that begins with /') }),
  tls: orNull(tls),
  redirect: orNull(
    objectOf<RouteRedirectSpec>({
      status,
      scheme: orNull(oneOf('http', 'https')),
      host: orNull(aText),
      port: orNull(port),
      path: orNull(aText),
    }),
  ),
  replacePath: orAbsent(matching(/^\//, 'a path that begins with /')),
  requestHeaders: headers,
  responseHeaders: headers,
  allow: texts,
  deny: texts,
  basicAuth: orNull(
    objectOf<BasicAuthSpec>({
      realm: aText,
      users: listOf(objectOf<BasicAuthSpec['users'][number]>({ name: aText, hash: aText }), MAX_PARTS),
    }),
  ),
  rateLimit: orNull(objectOf<RateLimitSpec>({ requests: aWhole(1), perMs: aDuration })),
  maxConnections: orNull(aWhole(1)),
  maxConnectionsPerTask: orNull(aWhole(1)),
  sticky: orNull(objectOf<StickySpec>({ cookie: aText, maxAgeMs: orNull(aDuration) })),
  balance: oneOf('least-connections', 'round-robin'),
  isCompressed: aFlag,
  trustedProxies: texts,
  hasProxyProtocol: aFlag,
  sendProxyProtocol: oneOf('no', 'v1', 'v2'),
  retries: aWhole(0, 100),
  slowStartMs: aDuration,
  timeouts: objectOf<RouteTimeouts>({
    connectMs: aDuration,
    requestMs: aDuration,
    idleMs: aDuration,
    tunnelMs: aDuration,
    keepAliveMs: aDuration,
    queueMs: aDuration,
  }),
  maxBodyBytes: orNull(aWhole(0)),
  hasAccessLog: aFlag,
  unavailableText: aText,
})

export const route = objectOf<RouteSpec>({
  name: routeName,
  hostIp: matching(/^[0-9a-fA-F.:]*$/, 'an address'),
  port,
  mode: oneOf('http', 'tcp'),
  targets: listOf(target, MAX_PARTS),
  rule,
})
