import type { FieldChange } from '#api/glovebox'
import { formatBytes } from '#base'

import { printable, type Paint } from '../output/colour.ts'
import { tookText } from '../output/units.ts'

/** Of one value on a line. */
const MAX_CHARS = 60
const DIGEST = /^sha256:[0-9a-f]{64}$/
const SHOWN_HEX = 12

/** `environment.A`: what every field lies in says nothing. */
export function fieldName(path: readonly string[]): string {
  if (path[0] === 'forced') return 'by force'
  if (path[0] === 'secretVersions' && path[1] !== undefined) return printable(`version of ${path[1].replace('/', ' ')}`)
  const rest = path[0] === 'spec' ? path.slice(1) : path
  const own = rest[0] === 'task' && rest.length > 1 ? rest.slice(1) : rest
  return own.length === 0 ? 'all of it' : printable(own.join('.'))
}

/** A value in few words; `name` says its unit. */
export function valueText(value: unknown, name = ''): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'none'
  if (typeof value === 'number' && name.endsWith('Ms')) return tookText(value)
  if (typeof value === 'number' && name.endsWith('Bytes') && value >= 0) return formatBytes(value)
  if (typeof value === 'string' && DIGEST.test(value)) return value.slice(0, 'sha256:'.length + SHOWN_HEX)
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value))
  if (text === '') return '""'
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS - 1)}…`
}

/** `image   app:1 → app:2`; of a list what leaves it and what comes to it. */
export function fieldLines(changes: readonly FieldChange[], paint: Paint): readonly (readonly [name: string, value: string])[] {
  return changes.map(({ path, before, after }) => {
    const last = path.at(-1) ?? ''
    if (Array.isArray(before) && Array.isArray(after)) return [fieldName(path), listText(before, after, paint)] as const
    return [fieldName(path), `${paint('red', valueText(before, last))} → ${paint('green', valueText(after, last))}`] as const
  })
}

function listText(before: readonly unknown[], after: readonly unknown[], paint: Paint): string {
  const [old, now] = [before, after].map((list) => list.map((item) => JSON.stringify(item)))
  const gone = before.filter((_, index) => now?.includes(old?.[index] ?? '') === false)
  const come = after.filter((_, index) => old?.includes(now?.[index] ?? '') === false)
  const lines = [
    ...gone.map((item) => paint('red', `- ${valueText(item)}`)),
    ...come.map((item) => paint('green', `+ ${valueText(item)}`)),
  ]
  return lines.length === 0 ? 'in another order' : lines.join('\n')
}

/** `image app:1 → app:2, environment.A and 3 more`. */
export function fieldSummary(changes: readonly FieldChange[]): string {
  const weightiest = changes.toSorted((a, b) => weightOf(a) - weightOf(b))
  const [first, second, ...rest] = weightiest
  if (first === undefined) return ''
  const { path, before, after } = first
  const last = path.at(-1) ?? ''
  const isShort = !Array.isArray(before) && !Array.isArray(after) && path[0] !== 'forced'
  const one = isShort ? `${fieldName(path)} ${valueText(before, last)} → ${valueText(after, last)}` : fieldName(path)
  const two = second === undefined ? '' : `, ${fieldName(second.path)}`
  return `${one}${two}${rest.length === 0 ? '' : ` and ${rest.length} more`}`
}

/** What people look for first. */
const FIRST = ['spec.task.image', 'imageId', 'spec.replicas', 'state', 'forced']

function weightOf({ path }: FieldChange): number {
  const at = FIRST.indexOf(path.join('.'))
  return at === -1 ? FIRST.length : at
}
