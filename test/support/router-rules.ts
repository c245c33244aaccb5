import fc from 'fast-check'

import { PLAIN_RULE, type RouteRule } from '#cluster/spec'

export const OPTIONS = { socketPath: '/run/glovebox/router/haproxy.sock', runAs: null, hasIpv6: true, cookieKey: 'key' }

/** Words of a line as HAProxy reads them: the configuration manual, section 2.2, for what is written outside of quotes. */
export function words(line: string): readonly string[] {
  const found: string[] = []
  let word: string | undefined
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? ''
    if (character === '\\') {
      index += 1
      const next = line[index] ?? ''
      word = `${word ?? ''}${next === 'n' ? '\n' : next === 't' ? '\t' : next}`
    } else if (character === ' ') {
      if (word !== undefined) found.push(word)
      word = undefined
    } else if (character === '#') {
      break
    } else word = `${word ?? ''}${character}`
  }
  return word === undefined ? found : [...found, word]
}

/** Rules of http routes with any text where text is taken, much of it hostile. */
export function anyHttpRule(anyText: fc.Arbitrary<string>): fc.Arbitrary<RouteRule> {
  const hostile = fc.constantFrom(
    'if',
    'unless { src 0.0.0.0/0 }',
    '%[src]',
    '%',
    '$HOME',
    '"',
    "'",
    '\\',
    '# x',
    'a\nbackend b',
    '{ always_true }',
    ' ',
    'ü€😀',
    'a\tb',
  )
  const text = fc.oneof(
    anyText,
    hostile,
    fc.tuple(hostile, anyText, hostile).map((parts) => parts.join('')),
  )
  // Most of it sound: what is refused shows nothing of the configuration.
  const mostly = (...sound: readonly string[]) =>
    fc.oneof({ weight: 48, arbitrary: fc.constantFrom(...sound) }, { weight: 1, arbitrary: text })
  const headerName = mostly('X-A', 'if', '$x', "'", '#', '%', '`', '|', 'Set-Cookie')
  const headerValue = text.map((value) => value.replaceAll(/[^ -\uffff]/g, '').trim())
  const headers = fc.record({
    set: fc.dictionary(headerName, headerValue, { maxKeys: 3 }),
    remove: fc.array(headerName, { maxLength: 2 }),
  })
  const host = mostly('a.test', '*.a.test', 'b', 'x_y.test')
  const path = mostly('/', '/a', '/a/b/', '/%5Bsrc%5D', '/(x),y', '/$1&', '/%')
  const network = mostly('10.0.0.0/8', '::1', 'fe80::/10', '1.2.3.4')
  const nullable = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null })
  return fc
    .record(
      {
        hosts: fc.array(host, { maxLength: 3 }),
        path: fc.record({ type: fc.constantFrom('prefix' as const, 'exact' as const), value: path }),
        tls: fc.constant(null),
        redirect: nullable(
          fc.record({
            status: fc.constantFrom(301 as const, 302 as const, 307 as const, 308 as const),
            scheme: nullable(fc.constantFrom('http' as const, 'https' as const)),
            host: nullable(mostly('a.test', 'b')),
            port: nullable(fc.integer({ min: 1, max: 65_535 })),
            path: nullable(path),
          }),
        ),
        replacePath: path,
        requestHeaders: headers,
        responseHeaders: headers,
        allow: fc.array(network, { maxLength: 3 }),
        deny: fc.array(network, { maxLength: 3 }),
        trustedProxies: fc.array(network, { maxLength: 3 }),
        basicAuth: nullable(
          fc.record({
            realm: mostly('The shop'),
            users: fc.array(
              fc.record({
                name: fc.oneof(text, fc.constant('ann')),
                hash: fc.oneof(text, fc.constant(`$6$salt$${'a'.repeat(86)}`)),
              }),
              { maxLength: 2 },
            ),
          }),
        ),
        rateLimit: nullable(
          fc.record({ requests: fc.integer({ min: 1, max: 9 }), perMs: fc.integer({ min: 1000, max: 86_400_000 }) }),
        ),
        maxConnections: nullable(fc.integer({ min: 1, max: 9 })),
        maxConnectionsPerTask: nullable(fc.integer({ min: 1, max: 9 })),
        sticky: nullable(
          fc.record({
            cookie: mostly('sid', 'if', '$x', '#', "'", '|'),
            maxAgeMs: nullable(fc.integer({ min: 1000, max: 100_000 })),
          }),
        ),
        balance: fc.constantFrom('least-connections' as const, 'round-robin' as const),
        isCompressed: fc.boolean(),
        hasProxyProtocol: fc.boolean(),
        sendProxyProtocol: fc.constantFrom('no' as const, 'v1' as const, 'v2' as const),
        retries: fc.nat(10),
        slowStartMs: fc.nat(10_000),
        timeouts: fc.constant(PLAIN_RULE.timeouts),
        maxBodyBytes: nullable(fc.nat()),
        hasAccessLog: fc.boolean(),
        unavailableText: text,
      },
      { requiredKeys: [] },
    )
    .map((some) => ({ ...PLAIN_RULE, ...some }))
}
