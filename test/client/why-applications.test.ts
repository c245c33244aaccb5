import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerClients, dockerOf, type Docker } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { untilWhy, whyOf, type Expected } from '../support/why.ts'

const PATIENCE_MS = 20_000
const QUICK = 'interval: 200ms, timeout: 1s, failures: 1'

/** Each service of it has another trouble. */
const TROUBLE = `
services:
  turned-away:
    image: busybox
    command: httpd -f -p 80 -h /empty
    stop_grace_period: 1ms
    x-glovebox: { checks: { readiness: { http: { port: 80, path: /ready }, ${QUICK} } } }
  lifeless:
    image: busybox
    command: sleep 1000
    stop_grace_period: 1ms
    x-glovebox: { checks: { liveness: { command: [sh, -c, 'echo no pulse; exit 1'], ${QUICK} } } }
  sluggish:
    image: busybox
    command: sleep 1000
    stop_grace_period: 1ms
    x-glovebox: { checks: { startup: { tcp: { port: 81 }, ${QUICK} } } }
  db:
    image: busybox
    command: sleep 1000
    stop_grace_period: 1ms
    healthcheck: { test: echo no disk; exit 1, interval: 200ms, retries: 100 }
  web:
    image: busybox
    command: sleep 1000
    depends_on: { db: { condition: service_healthy } }
  migrate:
    image: busybox
    command: sh -c 'echo no such table; exit 4'
  api:
    image: busybox
    command: sleep 1000
    depends_on: { migrate: { condition: service_completed_successfully } }
  nightly:
    image: busybox
    command: 'true'
    x-glovebox: { schedule: { cron: '0 3 * * *', suspended: true } }
  lost:
    image: busybox
    command: sleep 1000
    networks: [nowhere]
  shy:
    image: busybox
    command: sleep 1000
    stop_grace_period: 1ms
    deploy: { replicas: 2 }
    x-glovebox: { away_from: [{ service: shy, required: true }] }
  certified:
    image: busybox
    command: httpd -f -p 80 -h /empty
    stop_grace_period: 1ms
networks:
  default: {}
  nowhere: { external: true, name: no-such-network }
x-glovebox:
  routes:
    - { hosts: shop.example, port: HTTPS_PORT, service: certified, target_port: 80, tls: { acme: { directory: 'https://127.0.0.1:1/directory' } } }
`

const TRIAL = `
services:
  web:
    image: busybox
    command: httpd -f -p 80 -h /empty
    stop_grace_period: 1ms
    ports: ['HTTP_PORT:80']
    environment: { VERSION: 'NUMBER' }
    x-glovebox: { rollout: { strategy: canary, steps: [{ weight: 10, hold: 100ms }], min_requests: 50 } }
    deploy: { update_config: { monitor: 100ms } }
`

/** Its second version answers with an error, whatever is asked. */
const JUDGED = `
services:
  web:
    image: busybox
    command: COMMAND
    stop_grace_period: 1ms
    ports: [{ target: 80, published: HTTP_PORT, app_protocol: http }]
    x-glovebox: { rollout: { strategy: canary, steps: [{ weight: 50, hold: 1m }], min_requests: 2 } }
    deploy: { update_config: { monitor: 100ms, failure_action: rollback } }
`
const GOOD = 'httpd -f -p 80 -h /empty'
const BAD = JSON.stringify([
  'sh',
  '-c',
  String.raw`mkdir -p /tmp/cgi-bin; printf '#!/bin/sh\nprintf "Status: 500 No\\r\\n\\r\\n"\n' > /tmp/cgi-bin/x; chmod 755 /tmp/cgi-bin/x; exec httpd -f -p 80 -h /tmp`,
])

const shared = (command: string) => `
services:
  web:
    image: busybox
    command: ${command}
    stop_grace_period: 1ms
    networks: [common]
networks:
  common: { external: true, name: common }
`

interface Case extends Expected {
  readonly title: string
  readonly name: string
}

const CASES: readonly Case[] = [
  {
    title: 'a readiness check that is answered with 404',
    name: 'trouble/turned-away',
    code: 'health.readiness',
    sentence: /^trouble\/turned-away\.1 gets no traffic, for its readiness check fails: HTTP 404\.$/,
    evidence: /^readiness check: GET :80\/ready, wants 200 to \d+, every 0\.2 s/,
  },
  {
    title: 'a liveness check that fails',
    name: 'trouble/lifeless',
    code: 'health.liveness',
    sentence: /^trouble\/lifeless\.1 is stopped and started again because it fails its liveness check/,
    evidence: /^the check says: .*no pulse/,
  },
  {
    title: 'a start that takes its time',
    name: 'trouble/sluggish',
    code: 'health.startup',
    sentence: /^trouble\/sluggish\.1 has run for .* and has not passed its start-up check: .*ECONNREFUSED/,
    evidence: /^start-up check: a connection to port 81, every 0\.2 s/,
  },
  {
    title: 'a dependency that is not healthy, with what it lacks',
    name: 'trouble/web',
    code: 'wait.dependency',
    sentence: /^trouble\/web waits for service db to be healthy\.$/,
    evidence: /^it comes from this: trouble\/db\.1 has run for .* and is not healthy yet: no disk/,
  },
  {
    title: 'a dependency that failed',
    name: 'trouble/api',
    code: 'wait.dependency',
    sentence: /^trouble\/api waits for service migrate to complete\.$/,
    evidence: /^it comes from this: .*trouble\/migrate\.1 ended with exit code 4/,
  },
  {
    title: 'a job that is suspended',
    name: 'trouble/nightly',
    code: 'job.suspended',
    sentence: /^trouble\/nightly is suspended: none of its times brings a run\.$/,
    evidence: /^0 3 \* \* \*: 0 times missed, 0 skipped$/,
  },
  {
    title: 'a network that somebody else was to make',
    name: 'trouble/lost',
    code: 'start.part_missing',
    sentence: /^trouble\/lost\.1 cannot start: there is no network no-such-network, which is to be made by somebody else\b/,
    evidence: /the external network no-such-network does not exist/,
  },
  {
    title: 'a certificate that nobody issues',
    name: 'shop.example',
    code: 'route.certificate',
    sentence:
      /^shop\.example on port \d+, which leads to trouble\/certified, has no certificate that clients trust: no certificate yet/,
    evidence: /^no certificate yet: /,
  },
  {
    title: 'an affinity that leaves no place',
    name: 'trouble/shy',
    code: 'place.affinity',
    sentence: /^trouble\/shy\.\d has no node: a task of \S*shy is in /,
    evidence: /refused by an affinity/,
  },
  {
    title: 'a canary that waits for a word',
    name: 'manual/web',
    code: 'rollout.by_hand',
    sentence: /^The canary of manual\/web waits for somebody to promote it: every step went well\.$/,
    evidence: /^last judgement: good/,
  },
  {
    title: 'a service that was paused by hand',
    name: 'held/web',
    code: 'service.paused',
    sentence: /^held\/web is paused by hand: nothing of it is replaced, scaled or rolled out\.$/,
    evidence: /^1 of 1 tasks are ready$/,
  },
  {
    title: 'a canary without traffic',
    name: 'trial/web',
    code: 'rollout.canary_waits',
    sentence:
      /^The canary of trial\/web stands still: it has too little traffic to be judged \(\d+ of the 50 requests that a judgement needs\)\.$/,
    evidence: /^10 % of the traffic for /,
  },
  {
    title: 'a canary that was judged and went back',
    name: 'judged/web',
    code: 'rollout.rolled_back',
    sentence:
      /^judged\/web (?:was|is being) rolled back from revision 2 to 1: step 1 of the canary: error ratio \S+ of \d+ requests, at most 0\.01 allowed\.$/,
    evidence: /^last judgement: bad: error ratio/,
  },
  {
    title: 'an application that the policy does not let in',
    name: 'theirs/web',
    code: 'policy.refused',
    sentence: /^theirs\/web tried to talk to ours\/web at tcp\/80, and the policy refuses it\.$/,
    evidence: /^rule: /,
  },
]

describe('why, of applications', () => {
  let daemon: TestDaemon
  let docker: Docker
  before(async () => {
    daemon = await startDaemon()
    docker = dockerOf(daemon, dockerClients().at(-1) ?? '')
    await docker.must('import', '-c', 'ENV PATH=/bin', await busyboxTar(daemon.directory), 'busybox')
    await docker.must('network', 'create', 'common')
    await Promise.all([
      up('trouble', TROUBLE.replace('HTTPS_PORT', String(await freePort())), '--detach'),
      canary(String(await freePort())),
      neighbours(),
      judgement(await freePort()),
      byHand(String(await freePort())),
      held(),
    ])
  })
  after(async () => {
    asking.abort()
    await daemon.stop()
  })

  const up = async (name: string, file: string, ...flags: readonly string[]): Promise<void> => {
    const directory = join(daemon.directory, name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'compose.yaml'), file)
    const { code, stdout, stderr } = await daemon.glovebox('up', directory, '--name', name, ...flags)
    assert.equal(code, 0, stdout + stderr)
  }

  const canary = async (port: string) => {
    const trial = TRIAL.replace('HTTP_PORT', port)
    await up('trial', trial.replace('NUMBER', '1'))
    await up('trial', trial.replace('NUMBER', '2'), '--detach')
  }
  const judgement = async (port: number) => {
    const file = JUDGED.replace('HTTP_PORT', String(port))
    await up('judged', file.replace('COMMAND', GOOD))
    await up('judged', file.replace('COMMAND', BAD), '--detach')
    void ask(port)
  }
  const asking = new AbortController()
  const ask = async (port: number): Promise<void> => {
    while (!asking.signal.aborted) {
      await fetch(`http://127.0.0.1:${port}/cgi-bin/x`).then(
        async (answer) => await answer.text(),
        () => '',
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const byHand = async (port: string) => {
    const file = TRIAL.replace('HTTP_PORT', port).replace('min_requests: 50', 'min_requests: 0, promote: by-hand')
    await up('manual', file.replace('NUMBER', '1'))
    await up('manual', file.replace('NUMBER', '2'), '--detach')
  }
  const held = async () => {
    await up('held', shared('sleep 1000'))
    const { code, stderr } = await daemon.glovebox('service', 'pause', 'held/web')
    assert.equal(code, 0, stderr)
  }
  const neighbours = async () => {
    await up('ours', shared('httpd -f -p 80 -h /empty'))
    const address = await docker.must('inspect', '-f', '{{.NetworkSettings.Networks.common.IPAddress}}', 'ours-web-1')
    await up('theirs', shared(`sh -c 'while true; do nc -w 1 ${address} 80 < /dev/null; sleep 0.2; done'`), '--detach')
  }

  for (const one of CASES)
    test(`${one.title} is told`, async () => {
      const { advice, about } = await untilWhy(daemon, one.name, one, PATIENCE_MS)
      assert.match(advice, /\S.*[.]$/)
      assert.ok(about.length > 0)
    })

  test('of an application all is told, the causes first; of one that is as wanted nothing', async () => {
    const trouble = await whyOf(daemon, 'trouble')
    const codes = trouble.diagnoses.map(({ code }) => code)
    assert.ok(codes.lastIndexOf('wait.dependency') > codes.indexOf('health.starting'), codes.join(' '))
    const ours = await whyOf(daemon, 'ours')
    assert.deepEqual(
      ours.diagnoses.map(({ code }) => code),
      ['policy.refused'],
    )
    const single = await whyOf(daemon, 'ours/web.1')
    assert.deepEqual([single.isWell, single.summary], [true, 'nothing is wrong with task ours/web.1.'])
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
