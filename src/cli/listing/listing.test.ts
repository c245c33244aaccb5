import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { widthOf } from '../output/colour.ts'
import { decimalSize, humanDuration } from '../output/human.ts'
import { compileTemplate } from '../template/template.ts'
import { absentFields } from './absent-fields.ts'
import { portsText } from './container-rows.ts'
import { alignedText, labelFields, listingText } from './listing.ts'
import { cpuPercent } from './stats-rows.ts'

const listing = {
  headings: { Name: 'NAME', Size: 'SIZE', Labels: 'LABELS' },
  table: ['Name', 'Size'],
  rows: [
    { Name: 'web', Size: '5', ...labelFields({ 'a.b-c': 'd', z: '1' }) },
    { Name: '日本語', Size: '1234', ...labelFields(null) },
  ],
}

test('a list is a table, JSON, a template, or a table by a template', () => {
  assert.equal(listingText(listing, undefined), 'NAME      SIZE\nweb       5\n日本語    1234\n')
  assert.equal(listingText(listing, '{{.Name}}\\t{{.Size}}'), 'web\t5\n日本語\t1234\n')
  assert.equal(listingText(listing, 'table {{.Size}}\\t{{.Label "a.b-c"}}'), 'SIZE      b c\n5         d\n1234\n')
  assert.equal(listingText(listing, 'json').split('\n')[0], '{"Labels":"a.b-c=d,z=1","Name":"web","Size":"5"}')
  assert.equal(listingText({ ...listing, rows: [] }, undefined), 'NAME      SIZE\n')
})

test('every cell of a column begins at the same place of the screen', () => {
  const cell = fc.stringMatching(/^[a-z日本👍é]{0,12}$/u)
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, fc.stringMatching(/^[a-z]{1,5}$/)), { minLength: 1 }), (rows) => {
      const lines = alignedText(rows).split('\n').slice(0, -1)
      const starts = lines.map((line, i) => widthOf(line) - widthOf(rows[i]?.[2] ?? ''))
      assert.equal(new Set(starts).size, 1)
    }),
  )
})

test('ports that follow each other and are published alike are one range', () => {
  const port = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
    PrivatePort,
    Type: 'tcp',
    ...(PublicPort === undefined ? {} : { PublicPort }),
    ...(IP === undefined ? {} : { IP }),
  })
  assert.equal(portsText([port(80, 8080, '0.0.0.0')]), '0.0.0.0:8080->80/tcp')
  assert.equal(portsText([port(81), port(80), port(443)]), '80-81/tcp, 443/tcp')
  assert.equal(portsText([port(80, 80, '::'), port(81, 81, '::')]), '[::]:80-81->80-81/tcp')
})

test('durations and sizes are worded as scripts know them', () => {
  const MINUTE = 60_000
  const HOUR = 60 * MINUTE
  const durations = [
    500,
    1000,
    59_000,
    MINUTE,
    5 * MINUTE,
    HOUR,
    30 * HOUR,
    50 * HOUR,
    24 * 20 * HOUR,
    24 * 100 * HOUR,
    24 * 800 * HOUR,
  ]
  assert.deepEqual(durations.map(humanDuration), [
    'Less than a second',
    '1 second',
    '59 seconds',
    'About a minute',
    '5 minutes',
    'About an hour',
    '30 hours',
    '2 days',
    '2 weeks',
    '3 months',
    '2 years',
  ])
  assert.deepEqual(
    [0, 999, 20_480, 2_130_000, 1e9].map((bytes) => decimalSize(bytes)),
    ['0B', '999B', '20.5kB', '2.13MB', '1GB'],
  )
})

test('the share of the processors is that between two readings', () => {
  const reading = (total_usage: number, system_cpu_usage: number) => ({
    cpu_usage: { total_usage },
    system_cpu_usage,
    online_cpus: 2,
  })
  const stats = { id: '', name: '', read: '', memory_stats: {} }
  assert.equal(cpuPercent({ ...stats, precpu_stats: reading(0, 0), cpu_stats: reading(50, 100) }), 100)
  assert.equal(cpuPercent({ ...stats, precpu_stats: reading(50, 100), cpu_stats: reading(50, 100) }), 0)
})

test('a name of the user’s that is not there is empty, a field that does not exist is a mistake', () => {
  const value = {
    State: { Status: 'running' },
    Config: { Labels: { a: 'b' } },
    HostConfig: { LogConfig: { Type: 'x', Config: {} } },
  }
  const fill = (template: string) => compileTemplate(template, absentFields(value)).render(value)
  assert.equal(fill('{{.Config.Labels.zz}}'), '<no value>')
  assert.equal(fill('{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}'), 'none')
  assert.equal(fill('{{index .HostConfig.LogConfig.Config "max-size"}}'), '')
  assert.throws(() => fill('{{.State.Statsu}}'), /no field Statsu/)
})
