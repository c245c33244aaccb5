import { LABEL_NAME, METRIC_NAME } from './names.ts'

/** One line with a value, as it was written. */
export interface SampleLine {
  readonly name: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
}

/** Prometheus refuses more than 64 by the common `label_limit`, and people name less than ten. */
const MAX_LABELS = 64
const MAX_NAME_CHARS = 256
const MAX_VALUE_CHARS = 4096

const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)$/i
/** Value, perhaps a time, perhaps an exemplar of OpenMetrics. */
const TAIL = /^[ \t]+([^ \t#]+)(?:[ \t]+([^ \t#]+))?(?:[ \t]+#[ \t]*\{.*)?[ \t]*$/

/** The line, or why it is none. Prometheus text format 0.0.4 and OpenMetrics 1.0.0; times and exemplars are read over. */
export function parseSampleLine(line: string): SampleLine | string {
  const brace = line.indexOf('{')
  const space = line.search(/[ \t]/)
  const hasLabels = brace !== -1 && (space === -1 || brace < space || line.slice(space, brace).trim() === '')
  const end = hasLabels ? brace : space
  const name = (end === -1 ? line : line.slice(0, end)).trimEnd()
  if (!METRIC_NAME.test(name) || name.length > MAX_NAME_CHARS) return `${show(name)} is no name of a metric`
  const read = hasLabels ? parseLabels(line, brace + 1) : { labels: [], at: end === -1 ? line.length : end }
  if (typeof read === 'string') return read
  const tail = TAIL.exec(hasLabels ? ` ${line.slice(read.at)}` : line.slice(read.at))
  if (tail === null) return `behind ${show(name)} there is no value`
  const [, value = '', time] = tail
  if (!NUMBER.test(value)) return `${show(value)} is no number`
  if (time !== undefined && !NUMBER.test(time)) return `${show(time)} is no time`
  return { name, labels: read.labels, value: numberOf(value) }
}

function parseLabels(line: string, from: number): { readonly labels: SampleLine['labels']; readonly at: number } | string {
  const labels: [string, string][] = []
  let at = from
  for (;;) {
    at = skipSpace(line, at)
    if (line[at] === '}') return { labels, at: at + 1 }
    const equals = line.indexOf('=', at)
    if (equals === -1) return 'the labels do not end'
    const name = line.slice(at, equals).trim()
    if (!LABEL_NAME.test(name) || name.length > MAX_NAME_CHARS) return `${show(name)} is no name of a label`
    if (name.startsWith('__')) return `the label ${name} is not for others to set`
    if (labels.some(([known]) => known === name)) return `the label ${name} is there twice`
    if (labels.length === MAX_LABELS) return `there are more than ${MAX_LABELS} labels`
    const value = parseQuoted(line, skipSpace(line, equals + 1))
    if (typeof value === 'string') return value
    labels.push([name, value.text])
    at = skipSpace(line, value.at)
    if (line[at] === ',') at += 1
    else if (line[at] !== '}') return `behind the label ${name} there is neither a comma nor the end`
  }
}

function parseQuoted(line: string, from: number): { readonly text: string; readonly at: number } | string {
  if (line[from] !== '"') return 'a label has no value in quotes'
  let text = ''
  let start = from + 1
  for (let at = start; at < line.length; at += 1) {
    const char = line[at]
    if (char === '"') {
      text += line.slice(start, at)
      if (text.length > MAX_VALUE_CHARS) return `a label is longer than ${MAX_VALUE_CHARS} characters`
      return { text, at: at + 1 }
    }
    if (char !== '\\') continue
    const next = line[at + 1]
    if (next !== 'n' && next !== '"' && next !== '\\') return `\\${next ?? ''} stands for nothing in a label`
    text += `${line.slice(start, at)}${next === 'n' ? '\n' : next}`
    at += 1
    start = at + 1
  }
  return 'a label does not end'
}

function skipSpace(line: string, from: number): number {
  let at = from
  while (line[at] === ' ' || line[at] === '\t') at += 1
  return at
}

function numberOf(text: string): number {
  const word = text.toLowerCase().replace(/^\+/, '')
  if (word.startsWith('inf')) return Infinity
  if (word.startsWith('-inf')) return -Infinity
  return Number(text)
}

export function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
