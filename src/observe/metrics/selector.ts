import { metricError } from './errors.ts'
import type { Labels } from './model.ts'
import { LABEL_NAME, METRIC_NAME } from './names.ts'

/** `glovebox_container_cpu_seconds_total{service="web",container!="x",stack=~"a|b"}`: which series somebody asks for. */
export interface Selector {
  /** Empty: of whatever name. */
  readonly name: string
  readonly matchers: readonly Matcher[]
}

export interface Matcher {
  readonly label: string
  readonly operator: '=' | '!=' | '=~' | '!~'
  readonly value: string
}

/** Of a selector, and of a pattern in it: what people write is far below. */
const MAX_LENGTH = 2000
/** Of it, in a message. */
const MAX_SHOWN = 200
const MATCHER = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\\n]|\\.)*)"\s*(,|$)/sy

/**
 * As PromQL writes instant selectors, without offsets and ranges. Patterns are lists of words between `|`, in which `.*` stands for anything: nothing that could run for
 * ever. Errors: `metrics.selector_invalid`.
 */
export function parseSelector(text: string): Selector {
  const say = (why: string) =>
    metricError('metrics.selector_invalid', `selector ${JSON.stringify(text.slice(0, MAX_SHOWN))}: ${why}`, {
      hint: 'Write it as name{label="value"}; the operators are =, !=, =~ and !~.',
    })
  if (text.length > MAX_LENGTH) throw say(`it is longer than ${MAX_LENGTH} characters`)
  const trimmed = text.trim()
  const brace = trimmed.indexOf('{')
  if (brace !== -1 && !trimmed.endsWith('}')) throw say('what begins with { has no end')
  const name = brace === -1 ? trimmed : trimmed.slice(0, brace).trimEnd()
  const inside = brace === -1 ? '' : trimmed.slice(brace + 1, -1)
  if (name !== '' && !METRIC_NAME.test(name)) throw say(`${JSON.stringify(name.slice(0, MAX_SHOWN))} is no name of a metric`)
  const matchers = parseMatchers(inside, say)
  if (name === '' && matchers.length === 0) throw say('it names nothing')
  for (const { operator, value } of matchers) if (operator.endsWith('~')) checkPattern(value, say)
  return { name, matchers }
}

function parseMatchers(inside: string, say: (why: string) => Error): readonly Matcher[] {
  const matchers: Matcher[] = []
  if (inside.trim() === '') return matchers
  const scan = new RegExp(MATCHER)
  while (scan.lastIndex < inside.length) {
    const at = scan.lastIndex
    const found = scan.exec(inside)
    if (found === null) {
      if (inside.slice(at).trim() === '' && matchers.length > 0) break
      throw say(`${JSON.stringify(inside.slice(at, at + MAX_SHOWN))} is no label="value"`)
    }
    const [, label = '', operator = '=', quoted = ''] = found
    if (!LABEL_NAME.test(label)) throw say(`${JSON.stringify(label)} is no name of a label`)
    matchers.push({ label, operator: operator as Matcher['operator'], value: unquoted(quoted) })
  }
  return matchers
}

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char))
}

const PLAIN_PATTERN = /^(?:[^\\^$.*+?()[\]{}]|\.\*|\.\+|\\[\\^$.*+?()[\]{}|/-])*$/s

function checkPattern(pattern: string, say: (why: string) => Error): void {
  if (!PLAIN_PATTERN.test(pattern))
    throw say(`the pattern ${JSON.stringify(pattern.slice(0, MAX_SHOWN))} is more than words, | and .*`)
}

/** Whether a series is one of those. A label that it does not have is an empty one. */
export function selects({ name, matchers }: Selector): (seriesName: string, labels: Labels) => boolean {
  const tests = matchers.map((matcher) => ({ label: matcher.label, test: testOf(matcher) }))
  return (seriesName, labels) =>
    (name === '' || name === seriesName) &&
    tests.every(({ label, test }) => test(Object.hasOwn(labels, label) ? (labels[label] ?? '') : ''))
}

function testOf({ operator, value }: Matcher): (text: string) => boolean {
  if (operator === '=') return (text) => text === value
  if (operator === '!=') return (text) => text !== value
  const words = value.split(/(?<!\\)\|/).map(wordTest)
  const matches = (text: string) => words.some((test) => test(text))
  return operator === '=~' ? matches : (text) => !matches(text)
}

/** A word with gaps in it: its pieces are looked for from left to right, so a text of n characters takes n steps a piece. */
function wordTest(word: string): (text: string) => boolean {
  const pieces = word.split(/\.[*+]/).map((piece) => piece.replaceAll(/\\(.)/gs, '$1'))
  const gaps = [...word.matchAll(/\.([*+])/g)].map(([, kind]) => (kind === '+' ? 1 : 0))
  return (text) => {
    let at = 0
    for (const [index, piece] of pieces.entries()) {
      const least = at + (gaps[index - 1] ?? 0)
      if (index === 0) {
        if (!text.startsWith(piece)) return false
        at = piece.length
        if (pieces.length === 1) return text.length === piece.length
      } else if (index === pieces.length - 1) return text.length - piece.length >= least && text.endsWith(piece)
      else {
        const found = text.indexOf(piece, least)
        if (found === -1) return false
        at = found + piece.length
      }
    }
    return true
  }
}
