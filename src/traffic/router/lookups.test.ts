import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { virtualClock } from '#base'
import { parseAccessLine } from './access-lines.ts'
import { addressBook } from './addresses.ts'
import { certificateCommands, toldOf, type CertificateFiles } from './certificate-plan.ts'
import { bucketOf, NO_LATENCY, percentile } from './histogram.ts'
import type { Route } from './port.ts'
import { mapCommands } from './runtime-plan.ts'
import { parseMap } from './runtime-state.ts'
import { parseStatRows } from './stat-rows.ts'

type Maps = ReadonlyMap<string, ReadonlyMap<string, string>>

describe('the commands for what is looked up', () => {
  const anyTable = fc.dictionary(fc.constantFrom('a/', 'b/', '*.c/x/', '*/'), fc.constantFrom('r-1', 'r-2'))
  const anyMaps = fc
    .record({ 'maps/x.exact': anyTable, 'maps/x.prefix': anyTable })
    .map((maps): Maps => new Map(Object.entries(maps).map(([path, table]) => [path, new Map(Object.entries(table))])))

  it('lead from any entries to any others, and nothing that stays is missing in between', () => {
    fc.assert(
      fc.property(anyMaps, anyMaps, (before, after) => {
        const maps = new Map([...before].map(([path, table]) => [path, new Map(table)]))
        for (const command of mapCommands(after, before)) {
          const [verb = '', , path = '', key = '', value = ''] = command.split(' ')
          const table = maps.get(path)
          assert.ok(table !== undefined && table.has(key) === (verb !== 'add'), command)
          if (verb === 'del') table.delete(key)
          else table.set(key, value)
          for (const [at, entries] of after)
            for (const stays of entries.keys()) if (before.get(at)?.has(stays) === true) assert.ok(maps.get(at)?.has(stays))
        }
        assert.deepEqual(maps, new Map([...after].map(([path, table]) => [path, new Map(table)])))
        assert.deepEqual(mapCommands(after, after), [])
      }),
    )
  })

  it('are read back as HAProxy prints them', () => {
    assert.deepEqual(
      parseMap('0x563b9afb7ec0 shop.test/ r-web\n0x1 *.a/b/ r-2\n\n'),
      new Map([
        ['shop.test/', 'r-web'],
        ['*.a/b/', 'r-2'],
      ]),
    )
  })
})

describe('the commands for certificates', () => {
  const anyFiles: fc.Arbitrary<CertificateFiles> = fc
    .dictionary(
      fc.constantFrom('own-1', 'own-2', 'acme-3'),
      fc.record({ pem: fc.constantFrom('A', 'B'), hosts: fc.constantFrom('x.test', 'y.test') }),
    )
    .map((some) => {
      const lines = Object.entries(some).map(([id, { hosts }]) => ({
        path: `certificates/${id}.pem`,
        text: `certificates/${id}.pem ${hosts}`,
      }))
      return {
        pems: new Map(Object.entries(some).map(([id, { pem }]) => [`certificates/${id}.pem`, pem])),
        lists: new Map([['certificates/https-0.0.0.0-443.list', lines]]),
      }
    })

  it('lead from any to any others by the rules of HAProxy, or ask for a reload', () => {
    fc.assert(
      fc.property(anyFiles, anyFiles, (before, after) => {
        const change = certificateCommands(after, toldOf(before))
        if (change.needsReload) return
        const stored = new Map(before.pems)
        const listed = new Set([...before.lists.values()].flat().map((line) => line.text))
        const isListed = (path: string) => [...listed].some((text) => text.startsWith(`${path} `))
        let open: string | undefined
        for (const command of change.commands) {
          const [head = '', body = ''] = command.split(' <<\n')
          const [verb = '', , kind = '', first = '', second = ''] = head.split(' ')
          if (kind === 'crt-list' && verb === 'add') {
            const [path = ''] = body.split(' ')
            assert.ok(stored.has(path), command)
            listed.add(body.trim())
          } else if (kind === 'crt-list') for (const text of listed) if (text.startsWith(`${second} `)) listed.delete(text)
          if (kind === 'crt-list') continue
          if (verb === 'new') stored.set(first, '')
          if (verb === 'set') {
            open = first
            stored.set(first, body.trim())
          }
          if (verb === 'commit') assert.equal(open, first)
          if (verb === 'del') {
            assert.ok(!isListed(first), `${first} is in use`)
            stored.delete(first)
          }
        }
        assert.deepEqual(stored, new Map(after.pems))
        assert.deepEqual(
          [...listed].toSorted(),
          [...after.lists.values()]
            .flat()
            .map((line) => line.text)
            .toSorted(),
        )
      }),
    )
  })

  it('carry nothing that could end what they carry', () => {
    const files = { pems: new Map([['certificates/x.pem', 'A\n\n\nB\n']]), lists: new Map() }
    const commands = certificateCommands(files, { pems: new Map(), lists: new Map() }).commands
    assert.ok(commands.every((command) => !command.trimEnd().includes('\n\n')))
  })
})

describe('lines of the log', () => {
  const line =
    'h\t7\thttps-0.0.0.0-443\t900\t-\tr-web\tweb.1\t200\t12\t123\t1700000000\t15\t80\t500\t----\t0\t-\t10.0.0.9\tTLSv1.3\tHTTP/2.0\tGET\t/x?a=b\t-\t-'

  it('are read by their places', () => {
    const read = parseAccessLine(line)
    assert.ok(read !== undefined)
    const { weight, atMs, section, server, status, responseMs, client, tls, target } = read
    assert.deepEqual(
      { weight, atMs, section, server, status, responseMs, client, tls, target },
      {
        weight: 16,
        atMs: 1_700_000_000_123,
        section: 'r-web',
        server: 'web.1',
        status: 200,
        responseMs: 12,
        client: '10.0.0.9',
        tls: 'TLSv1.3',
        target: '/x?a=b',
      },
    )
    assert.equal(parseAccessLine(line.replace('\t12\t', '\t-1\t'))?.responseMs, null)
    assert.equal(parseAccessLine(line.replace('web.1', '<NOSRV>'))?.server, '')
  })

  it('may be any text', () => {
    const anyLine = fc.oneof(
      fc.string(),
      fc.array(fc.string(), { maxLength: 30 }).map((fields) => ['h', ...fields].join('\t')),
    )
    fc.assert(
      fc.property(anyLine, fc.string(), (text, stat) => {
        const read = parseAccessLine(text)
        if (read !== undefined) assert.ok(read.weight >= 1 && Number.isSafeInteger(read.atMs))
        parseStatRows(stat)
        parseMap(stat)
      }),
    )
  })
})

describe('a percentile', () => {
  it('is within the bucket of the time that it is about', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(70_000), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99),
        (times, ratio) => {
          const counts = [...NO_LATENCY.counts]
          for (const time of times) counts[bucketOf(time)] = (counts[bucketOf(time)] ?? 0) + 1
          const sorted = times.toSorted((a, b) => a - b)
          const exact = sorted[Math.ceil(ratio * times.length) - 1] ?? 0
          const found = percentile({ counts, samples: times.length }, ratio)
          assert.ok(found !== null)
          assert.ok(
            exact >= 60_000 ? found === 60_000 : bucketOf(exact) === bucketOf(found) || found === Math.ceil(found),
            `${found} for ${exact}`,
          )
          assert.ok(Math.abs(found - Math.min(exact, 60_000)) <= Math.max(1, exact), `${found} for ${exact}`)
        },
      ),
    )
    assert.equal(percentile(NO_LATENCY, 0.5), null)
  })
})

describe('backends that are given by name', () => {
  const route = (address: string): Route => ({
    ...{ id: 'shop/web', hostIp: '', hostPort: 80, mode: 'http' },
    backends: [{ id: 'old', address, port: 80, state: 'ready' }],
  })

  it('stay where they are as long as that is one of their addresses, and follow them otherwise', async () => {
    const clock = virtualClock()
    let answer: readonly string[] | undefined = ['10.0.0.1', '10.0.0.2']
    const book = addressBook(
      async () => await (answer === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve(answer)),
      clock,
    )
    const now = async () => (await book.resolve([route('old.house')])).routes[0]?.backends[0]?.address
    assert.equal(await now(), '10.0.0.1')
    const later = async () => {
      await clock.advance(10_000)
      return await book.refresh()
    }
    answer = ['10.0.0.2', '10.0.0.1']
    assert.deepEqual([await later(), await now()], [false, '10.0.0.1'])
    answer = ['10.0.0.2']
    assert.deepEqual([await later(), await now()], [true, '10.0.0.2'])
    answer = undefined
    assert.deepEqual([await later(), await now()], [false, '10.0.0.2'])
  })

  it('are left out with a reason when they were never found', async () => {
    const book = addressBook(async () => await Promise.reject(new Error('no answer')), virtualClock())
    const { routes, problems } = await book.resolve([route('nowhere')])
    assert.deepEqual(routes[0]?.backends, [])
    assert.match(problems.get('shop/web') ?? '', /no address is found for "nowhere"/)
  })
})
