import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { mergeNodes } from './merge.ts'
import { gatherProblems } from './problems.ts'
import { list, map, plain, scalar, withoutMarks, type SourceNode, type Spot } from './source-node.ts'
import { readYaml } from './yaml-source.ts'

const spot: Spot = { origin: { file: 'f', directory: '/', lookup: () => undefined }, line: 1, column: 1 }

function tree(text: string): SourceNode {
  const problems = gatherProblems()
  const node = readYaml(text, spot.origin, problems)
  assert.deepEqual(problems.list(), [])
  assert.ok(node !== undefined)
  return node
}

/** Both are the fields of one service. */
function merged(base: string, over: string): unknown {
  const service = (text: string) => map(spot, [['services', map(spot, [['web', tree(text)]])]])
  return (plain(withoutMarks(mergeNodes(service(base), service(over)))) as { services: { web: unknown } }).services.web
}

describe('merging of two files', () => {
  it('has a rule for each kind of field', () => {
    const cases: readonly (readonly [base: string, over: string, expected: unknown])[] = [
      ['{ image: a, user: b }', '{ image: c }', { image: 'c', user: 'b' }],
      ['environment: [A=1, B=2]', 'environment: { B: 3, C: }', { environment: { A: '1', B: 3, C: null } }],
      ['labels: { a: x }', 'labels: [b=y]', { labels: { a: 'x', b: 'y' } }],
      ['command: [a, b]', 'command: c', { command: 'c' }],
      [
        'healthcheck: { test: [CMD, a], retries: 2 }',
        'healthcheck: { test: [CMD, b] }',
        { healthcheck: { test: ['CMD', 'b'], retries: 2 } },
      ],
      [
        'volumes: ["a:/x", "b:/y"]',
        'volumes: [{ type: bind, source: /c, target: /x/ }, "/z"]',
        {
          volumes: [{ type: 'bind', source: '/c', target: '/x/' }, 'b:/y', '/z'],
        },
      ],
      ['ports: ["8080:80"]', 'ports: ["8080:80", "8081:80", "8080:80/udp"]', { ports: ['8080:80', '8081:80', '8080:80/udp'] }],
      [
        'ports: ["8080:80"]',
        'ports: [{ target: 80, published: 8080, mode: host }]',
        { ports: [{ target: 80, published: 8080, mode: 'host' }] },
      ],
      ['dns: 1.1.1.1', 'dns: [9.9.9.9, 1.1.1.1]', { dns: ['1.1.1.1', '9.9.9.9'] }],
      ['cap_add: [A]', 'cap_add: [B, A]', { cap_add: ['A', 'B'] }],
      ['secrets: [a]', 'secrets: [{ source: b, target: a }]', { secrets: [{ source: 'b', target: 'a' }] }],
      [
        'depends_on: [a]',
        'depends_on: { b: { condition: service_healthy } }',
        {
          depends_on: { a: { condition: 'service_started' }, b: { condition: 'service_healthy' } },
        },
      ],
      ['networks: [a]', 'networks: { a: { aliases: [x] } }', { networks: { a: { aliases: ['x'] } } }],
      ['build: .', 'build: { target: t }', { build: { context: '.', target: 't' } }],
      ['build: { context: ., args: [A=1] }', 'build: { args: { A: 2 } }', { build: { context: '.', args: { A: 2 } } }],
      [
        'logging: { driver: local, options: { a: 1 } }',
        'logging: { options: { b: 2 } }',
        { logging: { driver: 'local', options: { a: 1, b: 2 } } },
      ],
      ['logging: { driver: local, options: { a: 1 } }', 'logging: { driver: none }', { logging: { driver: 'none' } }],
      [
        'ulimits: { nofile: 1, nproc: 2 }',
        'ulimits: { nofile: { soft: 1, hard: 2 } }',
        { ulimits: { nofile: { soft: 1, hard: 2 }, nproc: 2 } },
      ],
      ['extra_hosts: ["a:1.1.1.1"]', 'extra_hosts: { b: 2.2.2.2 }', { extra_hosts: ['a:1.1.1.1', 'b=2.2.2.2'] }],
      ['env_file: a.env', 'env_file: [b.env]', { env_file: ['a.env', 'b.env'] }],
      ['devices: ["/dev/a:/dev/x"]', 'devices: ["/dev/b:/dev/x:r"]', { devices: ['/dev/b:/dev/x:r'] }],
      ['tmpfs: /a', 'tmpfs: ["/a:size=1m", /b]', { tmpfs: ['/a:size=1m', '/b'] }],
    ]
    for (const [base, over, expected] of cases) assert.deepEqual(merged(base, over), expected, `${base} + ${over}`)
  })

  it('obeys !reset and !override', () => {
    assert.deepEqual(
      merged(
        '{ ports: ["1:1"], image: a, environment: { A: 1, B: 2 } }',
        '{ ports: !reset [], environment: { A: !reset null } }',
      ),
      {
        image: 'a',
        environment: { B: 2 },
      },
    )
    assert.deepEqual(merged('{ ports: ["1:1"], labels: { a: b } }', '{ ports: !override ["2:2"], labels: !override { c: d } }'), {
      ports: ['2:2'],
      labels: { c: 'd' },
    })
  })

  it('leaves what is empty in the later file as it was', () => {
    assert.deepEqual(merged('{ volumes: ["a:/x"], build: { context: . } }', '{ volumes: , build: }'), {
      volumes: ['a:/x'],
      build: { context: '.' },
    })
  })
})

const value: fc.Arbitrary<SourceNode> = fc.letrec<{ node: SourceNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.string(), fc.integer(), fc.boolean()).map((one) => scalar(spot, one)),
    fc.array(tie('node'), { maxLength: 4 }).map((items) => list(spot, items)),
    fc
      .dictionary(fc.constantFrom('services', 'web', 'ports', 'build', 'environment', 'volumes', 'a'), tie('node'))
      .map((one) => map(spot, Object.entries(one))),
  ),
})).node

describe('merging of anything', () => {
  it('ends, and keeps every key of the later mapping', () => {
    fc.assert(
      fc.property(value, value, (base, over) => {
        const result = mergeNodes(base, over)
        if (base.kind === 'map' && over.kind === 'map' && result.kind === 'map')
          for (const key of [...base.entries.keys(), ...over.entries.keys()]) assert.ok(result.entries.has(key))
      }),
    )
  })

  it('with itself changes nothing that a reader sees twice', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.string({ maxLength: 5 })), (pairs) => {
        const text = JSON.stringify({ environment: pairs, volumes: ['a:/x'], ports: ['1:2'], command: ['x'] })
        assert.deepEqual(merged(text, text), JSON.parse(text))
      }),
    )
  })

  it('is the same whichever of three files are put together first, where keys tell apart', () => {
    const env = fc
      .dictionary(fc.constantFrom('A', 'B', 'C'), fc.string({ maxLength: 3 }))
      .map((pairs) => JSON.stringify({ environment: pairs }))
    fc.assert(
      fc.property(env, env, env, (one, two, three) => {
        const [a, b, c] = [one, two, three].map((text) => map(spot, [['services', map(spot, [['w', tree(text)]])]])) as [
          SourceNode,
          SourceNode,
          SourceNode,
        ]
        assert.deepEqual(plain(mergeNodes(mergeNodes(a, b), c)), plain(mergeNodes(a, mergeNodes(b, c))))
      }),
    )
  })
})
