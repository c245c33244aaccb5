import assert from 'node:assert/strict'

// Not of the face: what compiles the form once, for those who read many files.
import { compileSchema } from '../../src/cluster/spec/compile-schema.ts'
import { modelText, printableModel, readStackSpec } from '../../src/cluster/spec/index.ts'
import { readComposeWith } from '../../src/cluster/spec/read-compose.ts'

import type { FuzzTarget } from './fuzz.ts'

const schema = await compileSchema()

/** Between the files of one input: the application's, one on top, one to be included and extended, and variables. */
const NEXT = '\n%%%\n'

const SEEDS = [
  'services: { a: { image: x } }\n',
  'services:\n  a:\n    image: x\n    command: echo $$A ${HOME}\n    ports:\n      - 80:80\n',
  'services:\n  a:\n    image: x\n    environment:\n      A: 1\n      B: two\n    labels:\n      - c=d\n',
  `name: shop
x-base: &base { restart: always, labels: { a: b } }
services:
  web:
    <<: *base
    image: "web:\${TAG:-\${OTHER-1}}"
    ports: ["8080:80", { target: 53, protocol: udp, published: 53, mode: host }]
    environment: [A=1, B=$$x]
    volumes: ["data:/data", { type: bind, source: ./x, target: /x, bind: { recursive: readonly } }]
    depends_on: { db: { condition: service_healthy, restart: true } }
    deploy: { mode: replicated, replicas: 2, placement: { constraints: ["node.role==manager"] }, resources: { limits: { memory: 64m } } }
    healthcheck: { test: [CMD, "true"], interval: 1s }
    secrets: [{ source: token, mode: 0400 }]
  db: { extends: { file: other.yaml, service: base }, image: db }
volumes: { data: }
secrets: { token: { environment: HOME } }
${NEXT}services: { web: { ports: !override ["1:1"], environment: { A: !reset null }, volumes: ["/data"] } }
${NEXT}services: { base: { command: "run 'two words'", extends: root }, root: { user: x, tmpfs: ["/t:size=1m"] } }
${NEXT}TAG=1
`,
  `include: [other.yaml]
services:
  web:
    image: x
    x-glovebox:
      routes: [{ path: /a, target_port: 80, tls: own }]
      rollout: { steps: [{ weight: 5, hold: 1m }] }
      checks: { readiness: { http: { port: 80, status: 200-299 } } }
      schedule: "0 3 * * 1-5"
x-glovebox: { policy: { inside: deny, allow: [{ from: [web], to: web, ports: [53/udp] }] } }
${NEXT}{}
${NEXT}services: { more: { image: y, network_mode: "service:web", devices: ["/dev/a:/dev/b:r"] } }
networks: { default: { ipam: { config: [{ subnet: 10.0.0.0/8 }] } } }
${NEXT}`,
]

const WORDS = [
  ...[
    'services:',
    'web:',
    'image: x',
    'extends: web',
    'include: [compose.yaml]',
    'other.yaml',
    '<<: *base',
    '&base',
    '*base',
    '!reset',
    '!override',
  ],
  ...[
    '${',
    '}',
    ':-',
    ':?',
    '$$',
    '[',
    ']',
    '{',
    '}',
    '\n  ',
    '- ',
    '? ',
    '| ',
    '> ',
    '"',
    "'",
    '~',
    'null',
    '0777',
    '-1',
    '1e9',
    '.inf',
    '.nan',
  ],
  ...[
    '__proto__',
    'constructor',
    'x-glovebox:',
    '%%%',
    '\n%%%\n',
    '64m',
    '1h',
    '../..',
    '/',
    'service:web',
    '["CMD"]',
    '\t',
    '#',
    '%YAML 1.1',
    '---',
    '...',
  ],
]

function read(text: string, files: readonly string[]) {
  const [, over = '', other = '', env = ''] = files
  const overrides = over.trim() === '' ? [] : [{ path: '/app/over.yaml', text: over }]
  const named: Readonly<Record<string, string>> = { '/app/other.yaml': other, '/app/compose.yaml': text }
  const input = {
    ...{ path: '/app/compose.yaml', text, overrides, directory: '/app', environment: { HOME: '/home/u' }, dotEnv: env },
    ...{
      stackName: null,
      profiles: ['*'],
      readFile: (path: string) => (Object.hasOwn(named, path) ? (named[path] ?? null) : null),
    },
  }
  return readComposeWith(input, schema)
}

const composeFiles: FuzzTarget = {
  name: 'Compose files',
  seeds: SEEDS.map((text) => Buffer.from(text)),
  words: WORDS,
  codes: ['compose.invalid'],
  run: (input) => {
    const files = input.toString('utf8').split(NEXT)
    const reading = read(files[0] ?? '', files)
    // What was accepted is accepted at the other end of the wire, and says the same when it is printed and read again.
    assert.deepEqual(readStackSpec(JSON.parse(JSON.stringify(reading.spec))), reading.spec)
    const printed = read(modelText(printableModel(reading), 'json'), [])
    assert.deepEqual(printed.spec.services, reading.spec.services)
  },
}

export const COMPOSE_TARGETS: readonly FuzzTarget[] = [composeFiles]
