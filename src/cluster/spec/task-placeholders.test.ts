import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { fillPlaceholders, unknownPlaceholders, type PlaceholderValues } from './task-placeholders.ts'

const VALUES: PlaceholderValues = {
  serviceId: 'sid',
  serviceName: 'web',
  serviceLabels: { tier: 'front' },
  nodeId: 'nid',
  nodeHostname: 'host',
  taskId: 'tid',
  taskName: 'web.1.tid',
  taskSlot: '1',
}

test('what swarm mode fills in is filled in', () => {
  const fill = (text: string) => fillPlaceholders(text, VALUES)
  assert.equal(fill('{{.Service.Name}}-{{ .Task.Slot }}@{{.Node.Hostname}}'), 'web-1@host')
  assert.equal(fill('{{index .Service.Labels "tier"}}{{index .Service.Labels "none"}}'), 'front')
  assert.equal(fill('{{.Service.ID}} {{.Node.ID}} {{.Task.ID}} {{.Task.Name}}'), 'sid nid tid web.1.tid')
})

test('anything else is named', () => {
  assert.deepEqual(unknownPlaceholders('{{.Task.Slot}} {{.Task.Image}} {{ if }}'), ['{{.Task.Image}}', '{{ if }}'])
  assert.deepEqual(unknownPlaceholders('{{.Task.Slot}} {{.Task'), ['{{.Task'])
  assert.deepEqual(unknownPlaceholders('{{constructor}}'), ['{{constructor}}'])
})

test('property: a text without placeholders stays as it is, and one without unknown ones keeps none', () => {
  const piece = fc.oneof(fc.constantFrom('{{.Task.Slot}}', '{{.Node.ID}}', '{{.Nope}}', '{{', '}}'), fc.string())
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        const filled = fillPlaceholders(text, VALUES)
        if (!text.includes('{{')) assert.equal(filled, text)
        if (unknownPlaceholders(text).length === 0 && text.includes('{{')) assert.notEqual(filled, text)
      },
    ),
  )
})
