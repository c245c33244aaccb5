import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { instanceNames } from './names.ts'
import { changePortsScript, tableScript } from './nft-plan.ts'
import type { BridgeRules, PortRule } from './nft-plan.ts'

const names = instanceNames('test')
const bridge: BridgeRules = {
  bridge: names.bridge('abcd'),
  subnets: [{ family: 4, subnet: '172.18.0.0/16' }],
  isInternal: false,
  hasInterContainer: true,
  hasMasquerade: true,
}

test('names fit a link and differ between instances', () => {
  const other = instanceNames('other')
  const id = 'f'.repeat(64)
  for (const name of [names.bridge(id), names.hostLink(id)]) assert.ok(Buffer.byteLength(name) <= 15, name)
  assert.notEqual(names.table, other.table)
  assert.ok(!other.bridge(id).startsWith(names.bridgePrefix))
})

test('an internal network is not masqueraded and not forwarded, an open one is', () => {
  const open = tableScript(names, [bridge], [])
  assert.match(open, /ip saddr 172\.18\.0\.0\/16 oifname != "gb-[0-9a-f]{6}-abcd" masquerade/)
  const inner = tableScript(names, [{ ...bridge, isInternal: true }], [])
  assert.doesNotMatch(inner, /oifname != "[^"]+" masquerade/)
  assert.match(inner, /iifname "[^"]+" oifname != "[^"]+" drop/)
  assert.match(tableScript(names, [{ ...bridge, hasInterContainer: false }], []), /ct status != dnat drop/)
})

test('each port is one element of the map that fits its address', () => {
  const script = tableScript(
    names,
    [bridge],
    [
      { protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080, containerIp: '172.18.0.2', containerPort: 80 },
      { protocol: 'udp', hostIp: '127.0.0.1', hostPort: 53, containerIp: '172.18.0.3', containerPort: 53 },
      { protocol: 'tcp', hostIp: '::', hostPort: 8080, containerIp: 'fd00::2', containerPort: 80 },
    ],
  )
  assert.match(script, /map any4 \{\n[^}]*\nelements = \{ tcp \. 8080 : 172\.18\.0\.2 \. 80 \}/)
  assert.match(script, /map one4 \{\n[^}]*\nelements = \{ 127\.0\.0\.1 \. udp \. 53 : 172\.18\.0\.3 \. 53 \}/)
  assert.match(script, /map any6 \{\n[^}]*\nelements = \{ tcp \. 8080 : fd00::2 \. 80 \}/)
})

test('a change deletes before it adds, and every port is in it exactly once', () => {
  const port = fc.record<PortRule>({
    protocol: fc.constantFrom('tcp', 'udp'),
    hostIp: fc.constantFrom('0.0.0.0', '127.0.0.1', '::', 'fd00::9'),
    hostPort: fc.integer({ min: 1, max: 65_535 }),
    containerIp: fc.constant('172.18.0.2'),
    containerPort: fc.integer({ min: 1, max: 65_535 }),
  })
  fc.assert(
    fc.property(fc.array(port), fc.array(port), (gone, added) => {
      const lines = changePortsScript(names, gone, added).split('\n').filter(Boolean)
      const verbs = lines.map((line) => line.split(' ')[0])
      assert.ok(verbs.lastIndexOf('delete') < verbs.indexOf('add') || !verbs.includes('add'))
      const count = (verb: string) =>
        lines
          .filter((line) => line.startsWith(verb))
          .reduce((sum, line) => sum + (line.match(/\{(.*)\}/)?.[1]?.split(',').length ?? 0), 0)
      assert.deepEqual([count('delete'), count('add')], [gone.length, added.length])
    }),
  )
})
