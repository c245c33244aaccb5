import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GloveboxError } from '#base'

import { PLAIN_RULE } from './plain-rule.ts'
import { readCompose } from './read-compose.ts'
import { readStackSpec } from './read-stack-spec.ts'

const FULL = `
x-glovebox:
  owner: shop team
  runbook: https://wiki.example/shop
  routes:
    - name: shop
      hosts: [shop.example.com, "*.shop.example.com"]
      tls: { acme: { email: a@example.com }, min_version: "1.3", redirect_from: false }
      targets: [{ service: web, port: 3000, share: 95 }, { address: 10.0.0.9, port: 80, share: 5, name: old }]
      replace_path: /v2
      response_headers: { set: { X-A: b }, remove: [Server] }
      rate_limit: { requests: 20, per: 1s }
      sticky: { cookie: s, max_age: 1h }
      max_body: 10m
      timeouts: { idle: 1m }
    - { name: away, hosts: old.example.com, redirect: { scheme: https, host: shop.example.com } }
  policy:
    inside: deny
    allow: [{ from: [web, other/*], to: db, ports: [5432, 53/udp, 8000-8010] }]
    egress: { default: { outside: deny, except: [{ to: 203.0.113.0/24, ports: 443 }] } }
    log: true
services:
  web:
    image: web
    deploy: { replicas: 3, update_config: { parallelism: 2, failure_action: rollback, delay: 5s } }
    x-glovebox:
      contact: "#shop"
      routes: [{ path: /web, target_port: 3000, tls: own }]
      rollout: { steps: [{ weight: 5, hold: 2m }, { weight: 50 }], max_error_ratio: 0.02, promote: by-hand }
      checks:
        readiness: { http: { port: 3000, path: /ready, status: 200-299 }, interval: 2s }
        liveness: { tcp: { port: 3000 }, failures: 5 }
        startup: { command: test -e /ready }
      priority: 10
      metrics: { port: 9100, path: /m }
      near: [{ service: db, required: true }]
      away_from: [{ service: web, topology: node.labels.zone }]
  db: { image: db }
  report:
    image: report
    x-glovebox:
      schedule: { cron: "0 3 * * 1-5", time_zone: Europe/Berlin, concurrency: replace }
      job: { deadline: 1h, retries: 1 }
`

async function read(text: string) {
  const input = { path: 'c.yaml', text, directory: '/app', environment: {}, dotEnv: null, stackName: 'shop', profiles: null }
  return await readCompose({ ...input, readFile: () => null })
}

async function problems(text: string): Promise<readonly string[]> {
  const error: unknown = await read(text).catch((reason: unknown) => reason)
  assert.ok(error instanceof GloveboxError && error.code === 'compose.invalid', String(error))
  return error.message.split('\n')
}

describe('x-glovebox', () => {
  it('says what the specification has no words for', async () => {
    const { spec } = await read(FULL)
    const [web, db, report] = spec.services
    assert.deepEqual(web?.people, { owner: 'shop team', contact: '#shop', runbook: 'https://wiki.example/shop' })
    assert.equal(db?.people?.owner, 'shop team')
    const scrape = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100', 'prometheus.io/path': '/m' }
    assert.deepEqual(web.task.labels, scrape)
    assert.deepEqual(web.update, {
      ...{ strategy: 'canary', parallelism: 2, delayMs: 5000, order: 'auto', monitorMs: 5000 },
      ...{ failureAction: 'rollback', maxFailureRatio: 0 },
      canary: {
        steps: [
          { weightPercent: 5, holdMs: 120_000 },
          { weightPercent: 50, holdMs: 60_000 },
        ],
        ...{ minRequests: 100, maxErrorRatio: 0.02, latencyPercentile: 0.95, maxLatencyRatio: 1.5, isPromotedByHand: true },
      },
    })
    assert.deepEqual(web.checks.readiness?.probe, {
      ...{ type: 'http', port: 3000, path: '/ready', host: null, headers: {}, statuses: [200, 299] },
    })
    assert.deepEqual([web.checks.readiness?.intervalMs, web.checks.liveness?.failures], [2000, 5])
    assert.deepEqual(web.checks.startup?.probe, { type: 'command', command: ['test', '-e', '/ready'] })
    assert.equal(web.placement.priority, 10)
    assert.deepEqual(web.placement.affinities, [
      { type: 'affinity', service: 'db', topology: 'node.id', isRequired: true },
      { type: 'anti-affinity', service: 'web', topology: 'node.labels.zone', isRequired: false },
    ])
    assert.equal(report?.mode, 'replicated-job')
    assert.deepEqual(report.job, {
      ...{ completions: 1, parallelism: 1, deadlineMs: 3_600_000, retries: 1 },
      schedule: {
        ...{ cron: '0 3 * * 1-5', timeZone: 'Europe/Berlin', concurrency: 'replace', startingDeadlineMs: null },
        ...{ isSuspended: false, keepSucceeded: 3, keepFailed: 3 },
      },
    })
  })

  it('says routes and policies', async () => {
    const { spec } = await read(FULL)
    const [shop, away, own] = spec.routes ?? []
    assert.deepEqual([shop?.port, shop?.mode, away?.port, own?.port], [443, 'http', 80, 443])
    assert.deepEqual(shop?.targets, [
      { type: 'service', name: 'web', service: 'web', containerPort: 3000, share: 95 },
      { type: 'address', name: 'old', host: '10.0.0.9', port: 80, share: 5 },
    ])
    assert.deepEqual(shop.rule, {
      ...PLAIN_RULE,
      hosts: ['shop.example.com', '*.shop.example.com'],
      tls: {
        certificate: {
          ...{ type: 'acme', directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory', email: 'a@example.com' },
        },
        ...{ minVersion: '1.3', redirectFromPort: null },
      },
      replacePath: '/v2',
      responseHeaders: { set: { 'X-A': 'b' }, remove: ['Server'] },
      rateLimit: { requests: 20, perMs: 1000 },
      sticky: { cookie: 's', maxAgeMs: 3_600_000 },
      maxBodyBytes: 10 * 1024 * 1024,
      timeouts: { ...PLAIN_RULE.timeouts, idleMs: 60_000 },
    })
    assert.deepEqual(away?.targets, [])
    assert.deepEqual([own?.name, own?.rule.path, own?.targets.length], ['web-1', { type: 'prefix', value: '/web' }, 1])
    assert.deepEqual(spec.policy, {
      inside: 'deny',
      allow: [
        {
          from: ['web', 'other/*'],
          to: ['db'],
          ports: [
            { protocol: 'tcp', first: 5432, last: 5432 },
            { protocol: 'udp', first: 53, last: 53 },
            { protocol: 'tcp', first: 8000, last: 8010 },
          ],
        },
      ],
      egress: [
        {
          network: 'default',
          outside: 'deny',
          except: [{ to: '203.0.113.0/24', ports: [{ protocol: 'tcp', first: 443, last: 443 }] }],
        },
      ],
      isLogged: true,
    })
  })

  it('is accepted unchanged by the reader of the wire', async () => {
    const { spec } = await read(FULL)
    assert.deepEqual(readStackSpec(JSON.parse(JSON.stringify(spec))), spec)
  })

  it('is checked by a schema and by its readers, with the place', async () => {
    assert.deepEqual(
      await problems(`x-glovebox:
  routs: []
  routes:
    - { name: a b, service: gone, target_port: 1 }
    - { name: tcp, mode: tcp, service: web, target_port: 1 }
    - { name: nowhere }
services:
  web:
    image: x
    x-glovebox:
      checks: { readiness: { http: { port: 1 }, tcp: { port: 1 } } }
      rollout: { strategy: canary }
      schedule: "* * *"
      near: [{ service: gone }]
      priority: high
`),
      [
        'c.yaml:2:3 field "routs" is unknown',
        'c.yaml:4:7 "a b" is not a name for a route: letters, digits, - and _, at most 63',
        'c.yaml:5:7 a route of the mode tcp needs a "port"',
        'c.yaml:6:7 leads nowhere: it needs a "service" with a "target_port", "targets", or a "redirect"',
        'c.yaml:11:17 service web: a check needs one of "http", "tcp" and "command"',
        'c.yaml:12:7 service web: the strategy canary needs "steps"',
        'c.yaml:13:7 service web: schedule "* * *": has 3 fields instead of 5',
        'c.yaml:14:16 service web: names the service "gone", which the file does not have',
        'c.yaml:15:7 service web: "priority" must be a number, not "high"',
      ],
    )
    assert.match(
      (await problems('x-glovebox: { policy: { inside: maybe } }\nservices: { a: { image: x } }\n'))[0] ?? '',
      /"inside" must be one of allow, deny/,
    )
  })
})
