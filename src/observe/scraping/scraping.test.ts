import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { silentLog, virtualClock } from '#base'
import { createRegistry, readText, writeText, type MetricFamily } from '#observe/metrics'

import { scrapeError } from './errors.ts'
import { mergeTexts } from './merge.ts'
import { createScraping } from './scraping.ts'
import { MAX_TARGETS, planTargets, type Candidate } from './targets.ts'

const candidate = (
  container: string,
  labels: Readonly<Record<string, string>>,
  exposedPorts: readonly string[] = [],
): Candidate => ({
  containerId: container,
  names: { container, stack: 'shop' },
  labels: { 'prometheus.io/scrape': 'true', ...labels },
  exposedPorts,
})

test('who is asked says so by labels, and who cannot be asked is told why', () => {
  const { targets, refused } = planTargets([
    candidate('a', { 'prometheus.io/port': '8080' }),
    candidate('b', { 'prometheus.io/path': '/m?x=1' }, ['53/udp', '9100/tcp']),
    candidate('silent', { 'prometheus.io/scrape': 'no', 'prometheus.io/port': '1' }),
    candidate('c', { 'prometheus.io/port': '99999' }),
    candidate('d', { 'prometheus.io/port': '80', 'prometheus.io/scheme': 'https' }),
    candidate('e', { 'prometheus.io/port': '80', 'prometheus.io/path': 'metrics' }),
    candidate('f', {}, ['80/tcp', '81/tcp']),
    candidate('g', { 'prometheus.io/port': '80', 'prometheus.io/path': '/a b\r\nX: y' }),
  ])
  assert.deepEqual(
    targets.map(({ containerId, port, path }) => [containerId, port, path]),
    [
      ['a', 8080, '/metrics'],
      ['b', 9100, '/m?x=1'],
    ],
  )
  const reasons = new Map(refused.map(({ containerId, reason }) => [containerId, reason]))
  assert.match(reasons.get('c') ?? '', /99999 is no port/)
  assert.match(reasons.get('d') ?? '', /http alone/)
  assert.match(reasons.get('e') ?? '', /is no path/)
  assert.match(reasons.get('f') ?? '', /exposes 2 ports/)
  assert.match(reasons.get('g') ?? '', /is no path/)
  const many = Array.from({ length: MAX_TARGETS + 1 }, (_, index) => candidate(`c${index}`, { 'prometheus.io/port': '1' }))
  assert.equal(planTargets(many).targets.length, MAX_TARGETS)
})

test('names of targets are added, and a label that is taken is renamed', () => {
  const one = readText('# TYPE jobs gauge\njobs{container="own",exported_container="x",a="1"} 5\n', { maxSamples: 10 })
  const { families } = mergeTexts([{ names: { container: 'web', stack: 'shop' }, families: one }])
  assert.deepEqual(families[0]?.samples, [
    {
      suffix: '',
      labels: 'container="web",stack="shop",exported_exported_container="own",exported_container="x",a="1"',
      value: 5,
    },
  ])
})

test('targets that disagree on what a name is: the first is believed', () => {
  const text = (body: string) => readText(body, { maxSamples: 10 })
  const { families, problems } = mergeTexts([
    {
      names: { container: 'a' },
      families: text('# TYPE x gauge\nx 1\n# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'),
    },
    { names: { container: 'b' }, families: text('# TYPE x counter\nx 1\ny 2\n') },
    { names: { container: 'c' }, families: text('h_sum 3\n') },
  ])
  assert.deepEqual(
    families.map(({ name, samples }) => [name, samples.length]),
    [
      ['x', 1],
      ['h', 3],
      ['y', 1],
    ],
  )
  assert.deepEqual([...problems.keys()], [1, 2])
})

const sample = fc.tuple(
  fc.constantFrom('a', 'b_total', 'c_sum', 'c_bucket'),
  fc.dictionary(fc.constantFrom('container', 'x', 'le'), fc.string({ maxLength: 3 })),
  fc.integer(),
)
const line = sample.map(
  ([name, labels, value]) =>
    `${name}{${Object.entries(labels)
      .map(([key, text]) => `${key}=${JSON.stringify(text).replaceAll(/\\[^"\\n]/g, 'u')}`)
      .join(',')}} ${value}`,
)
const told = fc
  .tuple(
    fc.subarray(['# TYPE a gauge', '# TYPE b counter', '# TYPE c histogram', '# TYPE c_sum gauge']),
    fc.array(line, { maxLength: 6 }),
  )
  .map(([types, lines]) => [...types, ...lines, ''].join('\n'))

test('whatever targets say, all of it together is a text that reads back, with no sample twice', () => {
  fc.assert(
    fc.property(fc.array(told, { maxLength: 4 }), (texts) => {
      const read = texts.flatMap((text, index) => {
        try {
          return [{ names: { container: `c${index}` }, families: readText(text, { maxSamples: 100 }) }]
        } catch {
          return []
        }
      })
      const { families } = mergeTexts(read)
      const count = (all: readonly MetricFamily[]) => all.reduce((sum, { samples }) => sum + samples.length, 0)
      assert.equal(count(readText(writeText(families, 'prometheus'), { maxSamples: 1000 })), count(families))
    }),
  )
})

test('one that does not answer keeps nobody else from being heard, and the reason is told', async () => {
  const clock = virtualClock()
  const registry = createRegistry({ clock, log: silentLog() })
  let asked = 0
  const scraping = createScraping({
    clock,
    registry,
    candidates: () => [
      candidate('good', { 'prometheus.io/port': '80' }),
      candidate('bad', { 'prometheus.io/port': '81' }),
      candidate('slow', { 'prometheus.io/port': '82' }),
      candidate('lost', { 'prometheus.io/port': 'x' }),
    ],
    fetch: async ({ containerId }, { timeoutMs }) => {
      asked += 1
      if (containerId === 'good') return '# TYPE jobs gauge\njobs 3\nglovebox_target_up 9\n'
      if (containerId === 'bad') return 'jobs{ 1\n'
      assert.ok(timeoutMs <= 5000)
      throw scrapeError('scrape.timeout', 'no answer')
    },
  })
  const text = writeText(await scraping.scrape(8000), 'prometheus')
  assert.equal(await scraping.scrape(8000).then((families) => writeText(families, 'prometheus')), text)
  assert.equal(asked, 3)
  assert.match(text, /^jobs\{container="good",stack="shop"\} 3$/m)
  assert.match(text, /^glovebox_target_up\{container="good",stack="shop"\} 1$/m)
  for (const container of ['bad', 'slow', 'lost'])
    assert.match(text, new RegExp(`^glovebox_target_up\\{container="${container}",stack="shop"\\} 0$`, 'm'))
  assert.doesNotMatch(text, / 9$/m)
  const problems = new Map(scraping.targets().map(({ names, problem }) => [names['container'], problem]))
  assert.equal(problems.get('good'), null)
  assert.match(problems.get('bad') ?? '', /line 1: /)
  assert.match(problems.get('slow') ?? '', /no answer/)
  const failures = (await registry.read('all', 0)).families.find(({ name }) => name === 'glovebox_target_failures_total')
  assert.deepEqual(failures?.samples.map(({ labels }) => labels).toSorted(), [
    'reason="invalid"',
    'reason="misconfigured"',
    'reason="timeout"',
  ])
})
