import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

import { compileSchema } from '../../src/cluster/spec/compile-schema.ts'
import { modelText, printableModel, type ComposeReading } from '../../src/cluster/spec/index.ts'
import { readComposeWith } from '../../src/cluster/spec/read-compose.ts'

/**
 * What docker-compose 1.29 makes of files is read like a file, and must say the same as the files themselves. Where it does not follow the
 * specification (no `include`, no nested variables, ports and hosts merged otherwise) there is nothing to compare.
 */
const CASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'variables with defaults, alternatives and doubled dollars': {
    'docker-compose.yml': `services:
  web:
    image: "web:\${TAG:-dev}"
    command: echo $$HOME $\{WHO} "\${NONE-plain}"
    environment:
      A: "\${EMPTY:-x}\${EMPTY-y}"
      B: pre$\{WHO}post
      FROM_HOST:
    labels: ["a=\${WHO}", "b=$$$$"]
`,
    '.env': 'WHO=world\nEMPTY=\n',
  },
  'two files, field by field': {
    'docker-compose.yml': `services:
  web:
    image: a
    build: { context: ./web, args: { A: "1", B: "2" } }
    command: one
    entrypoint: [keep]
    environment: [A=1, B=2]
    labels: { x: "1", y: "2" }
    volumes: ["data:/data", "./src:/src:ro", "/anonymous"]
    expose: ["1"]
    dns: 1.1.1.1
    cap_add: [NET_ADMIN]
    tmpfs: /run
    depends_on: [db]
    healthcheck: { test: [CMD, a], interval: 5s, retries: 2 }
    logging: { driver: json-file, options: { max-size: 1m } }
    ulimits: { nofile: 100 }
  db: { image: db, networks: [back] }
networks: { back: { driver_opts: { com.docker.network.driver.mtu: "1400" } } }
volumes: { data: }
`,
    'docker-compose.override.yml': `services:
  web:
    image: b
    build: { args: [B=3], target: run }
    command: [two, words]
    environment: { B: "3", C: "4" }
    labels: ["y=3"]
    volumes: ["other:/data", "./more:/more"]
    expose: ["2"]
    dns: [9.9.9.9]
    cap_add: [SYS_TIME]
    tmpfs: [/tmp]
    depends_on: { cache: { condition: service_healthy }, db: { condition: service_started } }
    healthcheck: { test: [CMD, b] }
    logging: { options: { max-file: "3" } }
    networks: { back: { aliases: [w] }, default: }
  cache: { image: cache, user: "7", working_dir: /x }
volumes: { other: { labels: { a: b } } }
`,
    'web/Dockerfile': 'FROM scratch\n',
  },
  'extended services of this file and another': {
    'docker-compose.yml': `services:
  web:
    extends: { file: lib/base.yml, service: app }
    environment: [B=web]
    volumes: ["./own:/own"]
  worker:
    extends: { service: web }
    command: work
`,
    'lib/base.yml': `services:
  app:
    extends: { service: root }
    image: app
    environment: { A: app, B: app }
    env_file: app.env
    volumes: ["./data:/data"]
  root: { user: root, cap_drop: [ALL], stop_grace_period: 3s }
`,
    'lib/app.env': '# said\nC=file\nA=file\n',
  },
  'anchors, merge keys and long forms': {
    'docker-compose.yml': `x-base: &base
  restart: on-failure:3
  environment: &env { A: "1" }
services:
  one: { <<: *base, image: x }
  two:
    <<: *base
    image: y
    environment: { <<: *env, B: "2" }
    ports: [{ target: 80, published: 8080, protocol: tcp, mode: host }, "127.0.0.1:9000:90/udp", "5000-5001:50-51"]
    volumes:
      - { type: volume, source: data, target: /d, volume: { nocopy: true } }
      - { type: bind, source: ./b, target: /b, read_only: true, bind: { propagation: rslave } }
      - { type: tmpfs, target: /t, tmpfs: { size: 1048576 } }
    sysctls: [net.core.somaxconn=1024]
    extra_hosts: ["a.example:10.0.0.1"]
    devices: ["/dev/null:/dev/nothing:r"]
    security_opt: [no-new-privileges:true]
    shm_size: 64m
    mem_limit: 128m
    cpus: 0.5
    pids_limit: 20
    init: true
volumes: { data: }
`,
  },
  'deploy, secrets and configs': {
    'docker-compose.yml': `version: "3.8"
services:
  web:
    image: web
    deploy:
      mode: replicated
      replicas: 3
      endpoint_mode: dnsrr
      labels: { a: b }
      update_config: { parallelism: 2, delay: 3s, failure_action: rollback, monitor: 9s, max_failure_ratio: 0.1, order: start-first }
      rollback_config: { parallelism: 1, order: stop-first }
      restart_policy: { condition: on-failure, delay: 2s, max_attempts: 4, window: 60s }
      placement: { constraints: ["node.role == manager"], preferences: [{ spread: node.labels.zone }], max_replicas_per_node: 2 }
      resources: { limits: { cpus: "0.5", memory: 64M }, reservations: { cpus: "0.25", memory: 32M } }
    secrets: [token, { source: key, target: /etc/key, uid: "7", gid: "8", mode: 0400 }]
    configs: [conf, { source: other, target: /etc/other }]
secrets: { token: { file: ./token }, key: { external: true } }
configs: { conf: { file: ./conf }, other: { file: ./other, name: elsewhere } }
`,
  },
}

const root = mkdtempSync(join(tmpdir(), 'gbx-compose-config-'))
after(() => rmSync(root, { recursive: true }))
const schema = await compileSchema()
const environment = { PATH: process.env['PATH'], HOME: '/home/u', FROM_HOST: 'host' }

function read(directory: string, text: string, override: string | null = null): ComposeReading {
  const readOrNull = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return null
    }
  }
  const input = {
    ...{ path: join(directory, 'docker-compose.yml'), text, directory, environment, dotEnv: readOrNull(join(directory, '.env')) },
    ...{ stackName: 'same', profiles: null, readFile: readOrNull },
    overrides: override === null ? [] : [{ path: join(directory, 'docker-compose.override.yml'), text: override }],
  }
  return readComposeWith(input, schema)
}

/** docker-compose puts names in order, and merged lists in orders of its own. */
const ordered = <T>(items: readonly T[], nameOf: (item: T) => string) =>
  items.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))

function comparable({ spec, builds }: ComposeReading) {
  const services = ordered(spec.services, ({ name }) => name).map((service) => ({
    ...service,
    dependsOn: ordered(service.dependsOn, (one) => one.service),
    task: {
      ...service.task,
      mounts: ordered(service.task.mounts, ({ target }) => target),
      networks: ordered(service.task.networks, ({ network }) => network),
      dns: ordered(service.task.dns, (one) => one),
    },
  }))
  const named = <T extends { readonly key: string }>(items: readonly T[]) => ordered(items, ({ key }) => key)
  const sections = {
    networks: named(spec.networks),
    volumes: named(spec.volumes),
    secrets: named(spec.secrets),
    configs: named(spec.configs),
  }
  return { ...spec, ...sections, configFiles: [], services, builds }
}

for (const [index, [name, files]] of Object.entries(CASES).entries())
  test(`${name}: as docker-compose reads them`, () => {
    const directory = join(root, String(index))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
    }
    const ours = read(directory, files['docker-compose.yml'] ?? '', files['docker-compose.override.yml'] ?? null)
    const theirs = execFileSync('/usr/bin/docker-compose', ['config'], {
      ...{ cwd: directory, env: environment, encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    assert.deepEqual(comparable(read(directory, theirs)), comparable(ours))
    const printed = read(directory, modelText(printableModel(ours), 'yaml'))
    assert.deepEqual(comparable(printed), comparable(ours), 'as we print it')
  })
