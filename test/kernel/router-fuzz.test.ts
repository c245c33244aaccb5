import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { checkRoute, proxyConfig, type Route } from '#traffic/router'
import { anyHttpRule, OPTIONS } from '../support/router-rules.ts'

/** Long form: `GLOVEBOX_ROUTER_FUZZ=5000`. */
const ROUNDS = Number(process.env['GLOVEBOX_ROUTER_FUZZ'] ?? 30)
/** Routes in one configuration. */
const AT_ONCE = 30

describe('any routes that are accepted', { timeout: 3_600_000 }, () => {
  it('are taken by HAProxy without a complaint', () => {
    const directory = mkdtempSync(join(tmpdir(), 'gbx-rf-'))
    let checked = 0
    try {
      fc.assert(
        fc.property(
          fc.array(anyHttpRule(fc.string({ unit: 'grapheme' })), { minLength: AT_ONCE, maxLength: AT_ONCE }),
          (rules) => {
            const routes: Route[] = []
            for (const [index, rule] of rules.entries()) {
              const backend = { id: 'web-1', address: '127.0.0.1', port: 9, state: 'ready' } as const
              const route: Route = {
                id: `r${index}`,
                hostIp: '127.0.0.1',
                hostPort: 20_000 + (index % 4),
                mode: 'http',
                backends: [backend],
                rule,
              }
              try {
                checkRoute(route, routes)
                routes.push(route)
              } catch {
                continue
              }
            }
            checked += routes.length
            const config = proxyConfig(routes, { ...OPTIONS, socketPath: join(directory, 's') })
            for (const [path, entries] of config.maps) {
              mkdirSync(dirname(join(directory, path)), { recursive: true })
              writeFileSync(join(directory, path), [...entries].map(([key, value]) => `${key} ${value}\n`).join(''))
            }
            writeFileSync(join(directory, 'haproxy.cfg'), config.text)
            const { status, stderr } = spawnSync('haproxy', ['-c', '-q', '-f', join(directory, 'haproxy.cfg')], {
              encoding: 'utf8',
            })
            assert.equal(status, 0, stderr)
          },
        ),
        { numRuns: ROUNDS },
      )
      assert.ok(checked > ROUNDS * 2, `only ${checked} routes`)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
