import type { Labels } from './model.ts'

/**
 * Labels as they are written between the braces, in the order given: whoever measures the same thing twice names them in the same order. Prometheus text format 0.0.4: backslash, double quote
 * and line feed are escaped. Surrogates without their half become U+FFFD, for the text is UTF-8.
 */
export function labelText(labels: Labels): string {
  let text = ''
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`
  return text
}

/** Two such texts in one. */
export function joinLabels(first: string, second: string): string {
  return first === '' ? second : second === '' ? first : `${first},${second}`
}

const SPECIAL = /[\\"\n]|[^\x20-\x7e]/

function escaped(value: string): string {
  if (!SPECIAL.test(value)) return value
  return value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

const PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gs

/** What `labelText` wrote, read back. */
export function labelsOf(text: string): Labels {
  const labels: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(PAIR)) labels[name] = unescaped(value)
  return labels
}

function unescaped(value: string): string {
  return value.includes('\\') ? value.replaceAll(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char)) : value
}
