import { metricError } from './errors.ts'
import { labelText } from './labels.ts'
import type { MetricFamily, MetricType, Sample } from './model.ts'
import { COUNTER_SUFFIX, METRIC_NAME } from './names.ts'
import { parseSampleLine, show } from './sample-line.ts'

/** What a text may hold at most; who reads more than one of them says less. */
export interface TextBounds {
  readonly maxSamples: number
}

/** A label's value of 4,096 characters, sixty times over, still fits. */
const MAX_LINE_CHARS = 300_000
/** Of the texts behind HELP: people read them. */
const MAX_HELP_CHARS = 1000

type Declared = MetricType | 'info' | 'stateset' | 'gaugehistogram' | 'unknown'

const TYPES: ReadonlySet<string> = new Set<Declared>([
  ...(['counter', 'gauge', 'histogram', 'summary', 'untyped'] as const),
  ...(['info', 'stateset', 'gaugehistogram', 'unknown'] as const),
])

/** Behind the name of a family, what belongs to it. */
const SUFFIXES: Readonly<Record<Declared, readonly string[]>> = {
  counter: ['', '_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  summary: ['', '_sum', '_count', '_created'],
  untyped: [''],
  unknown: [''],
  info: ['_info'],
  stateset: [''],
  gaugehistogram: [],
}

interface Open {
  readonly name: string
  type: Declared | undefined
  help: string | undefined
}

/**
 * Reads what a program says of itself, in Prometheus text format 0.0.4 or OpenMetrics 1.0.0. Times, exemplars and `_created` are read over; kinds that Prometheus does not have
 * become gauges or untyped. Errors: `metrics.exposition_invalid` with the line: half of a text would look like one whose rest is zero.
 */
export function readText(text: string, { maxSamples }: TextBounds): readonly MetricFamily[] {
  const declared = new Map<string, Open>()
  const families = new Map<string, { readonly spec: Omit<MetricFamily, 'samples'>; readonly samples: Sample[] }>()
  const seen = new Set<string>()
  let isEnded = false
  let number = 0
  for (const line of linesOf(text)) {
    number += 1
    const refuse = (why: string) => metricError('metrics.exposition_invalid', `line ${number}: ${why}`)
    if (line.length > MAX_LINE_CHARS) throw refuse(`it is longer than ${MAX_LINE_CHARS} characters`)
    if (line.trim() === '') continue
    if (isEnded) throw refuse('there is something behind # EOF')
    if (line.startsWith('#')) {
      const said = readComment(line, declared)
      if (said === 'eof') isEnded = true
      else if (said !== undefined) throw refuse(said)
      continue
    }
    const sample = parseSampleLine(line)
    if (typeof sample === 'string') throw refuse(sample)
    if (seen.size >= maxSamples) throw refuse(`there are more than ${maxSamples} samples`)
    const labels = labelText(Object.fromEntries(sample.labels))
    const key = `${sample.name}{${sample.labels
      .map((pair) => pair.join('\u0001'))
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join('\u0000')}`
    if (seen.has(key)) throw refuse(`${sample.name}{${labels}} is there twice`.slice(0, MAX_HELP_CHARS))
    seen.add(key)
    const home = homeOf(sample.name, declared)
    if (home === undefined) continue
    const family = families.get(home.name) ?? { spec: home, samples: [] }
    if (family.spec.type !== home.type) throw refuse(`${show(sample.name)} is in two families of different types`)
    families.set(home.name, family)
    family.samples.push({ suffix: sample.name.slice(home.name.length), labels, value: sample.value })
  }
  return [...families.values()].map(({ spec, samples }) => ({ ...spec, samples }))
}

function* linesOf(text: string): Iterable<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at)
    const stop = end === -1 ? text.length : end
    yield text[stop - 1] === '\r' && stop > at ? text.slice(at, stop - 1) : text.slice(at, stop)
    at = stop + 1
  }
}

const COMMENT = /^#[ \t]*(HELP|TYPE|UNIT|EOF)(?:[ \t]+(\S+)(?:[ \t]+(.*))?)?[ \t]*$/s

/** What is wrong with it; `eof` at the end of OpenMetrics. */
function readComment(line: string, declared: Map<string, Open>): string | undefined {
  const [, word, name = '', rest = ''] = COMMENT.exec(line) ?? []
  if (word === undefined || word === 'UNIT') return undefined
  if (word === 'EOF') return 'eof'
  if (!METRIC_NAME.test(name)) return `${show(name)} is no name of a metric`
  const open = declared.get(name) ?? { name, type: undefined, help: undefined }
  declared.set(name, open)
  if (word === 'HELP')
    open.help ??= rest.slice(0, MAX_HELP_CHARS).replaceAll(/\\(n|\\|")/g, (_, char: string) => (char === 'n' ? '\n' : char))
  else {
    const type = rest.trim().toLowerCase()
    if (!TYPES.has(type)) return `${show(type)} is no type of a metric`
    if (open.type !== undefined) return `the type of ${name} is there twice`
    open.type = type as Declared
  }
  return undefined
}

/** The family that a sample is written under; undefined: it is of no use to anybody here. */
function homeOf(sampleName: string, declared: ReadonlyMap<string, Open>): Omit<MetricFamily, 'samples'> | undefined {
  for (const suffix of ['', COUNTER_SUFFIX, '_bucket', '_sum', '_count', '_created', '_info']) {
    if (!sampleName.endsWith(suffix) || sampleName.length === suffix.length) continue
    const open = declared.get(sampleName.slice(0, sampleName.length - suffix.length))
    if (open?.type === undefined || !SUFFIXES[open.type].includes(suffix)) continue
    if (suffix === '_created') return undefined
    const help = open.help ?? ''
    if (open.type === 'histogram' || open.type === 'summary') return { name: open.name, type: open.type, help }
    const type = open.type === 'counter' ? 'counter' : open.type === 'unknown' || open.type === 'untyped' ? 'untyped' : 'gauge'
    return { name: sampleName, type, help }
  }
  return { name: sampleName, type: 'untyped', help: declared.get(sampleName)?.help ?? '' }
}
