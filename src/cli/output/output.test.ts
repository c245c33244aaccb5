import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'
import type { Anatomy } from '#api/glovebox'

import { anatomyPage } from './anatomy-page.ts'
import { painter, printable, widthOf } from './colour.ts'
import { cpuShares, processRows } from './process-rows.ts'
import { bar, progress } from './progress.ts'
import { renderTable, truncate, wrap } from './table.ts'
import { fillTemplate } from './template.ts'
import { binaryBytes, roughDuration } from './units.ts'

const plain = painter(false)

test('columns are aligned and lines end without spaces', () => {
  const text = renderTable(
    [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'X' }],
    [
      ['web', '5', ''],
      ['database', '1234', 'y'],
    ],
  )
  assert.equal(text, 'NAME       SIZE   X\nweb           5\ndatabase   1234   y\n')
})

test('colours do not count as width, and are left out where there is no colour', () => {
  const paint = painter(true)
  assert.equal(widthOf(paint('red', 'abc')), 3)
  assert.equal(plain('red', 'abc'), 'abc')
})

test('foreign text never moves the cursor', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
      assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f]/)
    }),
  )
  assert.equal(printable('a\u001b[2Jb\n'), 'a\\x1b[2Jb\\n')
})

test('wrapping loses no word and truncating fits', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 })
  fc.assert(
    fc.property(words, fc.integer({ min: 12, max: 40 }), (list, width) => {
      const lines = wrap(list.join(' '), width)
      assert.equal(lines.join(' '), list.join(' '))
      assert.ok(lines.every((line) => line.length <= width))
      assert.ok([...truncate(list.join(' '), width)].length <= width)
    }),
  )
})

test('a template picks fields, and what it cannot do is refused by name', () => {
  const row = { Name: 'web', State: { Status: 'running', Pids: [1, 2] } }
  assert.equal(fillTemplate('{{.Name}}\\t{{ .State.Status }}', row), 'web\trunning')
  assert.equal(fillTemplate('{{json .State.Pids}}', row), '[1,2]')
  assert.throws(() => fillTemplate('{{.Nmae}}', row), /there is no field Nmae/)
  assert.throws(() => fillTemplate('{{define "x"}}{{end}}', row), /not supported/)
})

test('durations use the largest unit of which there are two', () => {
  assert.equal(roughDuration(90_000), '90 seconds')
  assert.equal(roughDuration(150_000), '2 minutes')
  assert.equal(roughDuration(3 * 86_400_000), '3 days')
  assert.equal(binaryBytes(512 * 1024 ** 2), '512 MiB')
})

test('without a terminal, progress is sentences, and none of them twice in a row', () => {
  let text = ''
  const sink = {
    write: (part: string | Uint8Array) => ((text += String(part)), true),
    isTty: false,
    columns: 80,
    rows: 24,
    hasColour: false,
  }
  const show = progress(sink, plain)
  show.update('web', 'building', 'step 1')
  show.say('Building web.')
  show.say('Building web.')
  show.note('web: new, 2 replicas')
  assert.equal(text, 'Building web.\nweb: new, 2 replicas\n')
})

test('on a terminal, progress is redrawn in place and never wider than it', () => {
  let text = ''
  const sink = {
    write: (part: string | Uint8Array) => ((text += String(part)), true),
    isTty: true,
    columns: 30,
    rows: 24,
    hasColour: false,
  }
  const show = progress(sink, plain)
  show.update('web', 'building', 'x'.repeat(100))
  show.update('web', 'built')
  const [first = '', second = ''] = text.split('\u001b[1A\u001b[J')
  assert.ok(first.trimEnd().length <= 30)
  assert.match(second, /built/)
})

test('a bar is full at its end and empty at its beginning', () => {
  assert.equal(bar(0, 10, 4), '[    ]   0%')
  assert.equal(bar(10, 10, 4), '[====] 100%')
  assert.equal(bar(1, 0), '')
})

test('CPU shares are of the time between two readings, and a new process with an old number counts from its start', () => {
  const one = {
    containerId: 'c',
    containerName: 'web',
    pid: 5,
    insidePid: 1,
    parentPid: 1,
    user: 'root',
    cpuSeconds: 1,
    rssBytes: 1,
    startedAtMs: 10,
    command: 'x',
  }
  assert.equal(cpuShares([one], [{ ...one, cpuSeconds: 1.5 }], 1000).get(5), 50)
  assert.equal(cpuShares([one], [{ ...one, startedAtMs: 20, cpuSeconds: 0.1 }], 1000).get(5), 10)
})

test('the busiest container comes first, and its processes stay together', () => {
  const at = (containerName: string, pid: number, insidePid: number) => ({
    containerId: '',
    containerName,
    pid,
    insidePid,
    parentPid: 1,
    user: '',
    cpuSeconds: 0,
    rssBytes: 0,
    startedAtMs: 0,
    command: '',
  })
  const rows = processRows(
    [at('a', 1, 1), at('b', 2, 7), at('b', 3, 1)],
    new Map([
      [2, 90],
      [1, 10],
    ]),
  )
  assert.deepEqual(
    rows.map((row) => row.pid),
    [3, 2, 1],
  )
})

const anatomy: Anatomy = {
  id: 'f'.repeat(64),
  name: 'web',
  state: 'running',
  image: { reference: 'web:1', id: `sha256:${'a'.repeat(64)}` },
  process: {
    hostPid: 4242,
    insidePid: 1,
    user: 'nobody',
    uid: 65534,
    command: ['node', 'server.js'],
    startedAtMs: 0,
    threads: 7,
    rssBytes: 1024 ** 2,
    cpuSeconds: 1.5,
    processes: 1,
  },
  layers: [
    {
      diffId: `sha256:${'b'.repeat(64)}`,
      sizeBytes: 170_000_000,
      createdBy: 'bootstrap debian:bookworm',
      entries: 8700,
      sharedWith: 1,
    },
  ],
  snapshotDriver: 'erofs',
  writableBytes: 4096,
  cgroup: {
    path: '/glovebox/f',
    memoryUsageBytes: 2 ** 20,
    memoryLimitBytes: 2 ** 27,
    memoryPeakBytes: null,
    cpuLimit: 1,
    cpuShares: null,
    cpuSeconds: 1.5,
    throttledSeconds: 0.25,
    pids: 7,
    pidsLimit: 64,
    oomKills: 1,
  },
  namespaces: [
    { type: 'pid', inode: 4026532000, sharedWith: 'own' },
    { type: 'user', inode: 4026531837, sharedWith: 'host' },
    { type: 'net', inode: 4026532001, sharedWith: ['side'] },
  ],
  mounts: [{ type: 'volume', source: 'data', target: '/data', isReadOnly: true }],
  network: {
    mode: 'app',
    endpoints: [{ network: 'app', address: '10.0.0.2/24', gateway: '10.0.0.1', macAddress: '02:00:00:00:00:02', names: ['web'] }],
    ports: [{ hostIp: '', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  },
  files: [{ path: '/run/x', purpose: 'its specification' }],
}

test('the anatomy of a container names all of its parts on one page', () => {
  const page = anatomyPage(anatomy, plain, 100, 60_000)
  for (const part of [
    '4242 on the host, 1 inside',
    'nobody (uid 65534)',
    'bbbbbbbbbbbb',
    '8700 entries, shared with 1 image',
    '1 MiB of 128 MiB',
    'at most 1 CPU, held back for 0.25 s',
    '7 of 64',
    'killed',
    'its own',
    'the host’s',
    'shared with side',
    '/data  volume  data  read-only',
    '8080 on the host → 80/tcp',
    '1 process in the container',
  ])
    assert.ok(page.includes(part), `${part}\n${page}`)
  assert.ok(page.split('\n').every((line) => line.length <= 100))
})

test('a container that does not run still has its tarballs', () => {
  const page = anatomyPage({ ...anatomy, state: 'exited', process: null, cgroup: null, namespaces: [] }, plain, 100, 0)
  assert.match(page, /none: the container is exited/)
  assert.match(page, /bootstrap debian/)
})
