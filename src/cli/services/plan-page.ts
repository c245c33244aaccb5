import type { ChangePlan, Effect, Operation } from '#api/glovebox'

import { printable, type Paint } from '../output/colour.ts'
import { renderFields, renderTable } from '../output/table.ts'
import { counted, tookText } from '../output/units.ts'
import { fieldLines, fieldSummary, valueText } from './field-text.ts'

const COLUMNS = [
  { title: 'WHAT' },
  { title: 'OPERATION' },
  { title: 'FROM → TO' },
  { title: 'HOW' },
  { title: 'UNAVAILABLE' },
] as const

/** As people say it: `shop/web` for `shop_web`. */
export type Titles = (name: string) => string

/** What is going to be done, a line for each thing, and below what one has to know of it. */
export function planTable({ operations, warnings }: ChangePlan, titles: Titles, paint: Paint): string {
  const rows = operations.map((operation) => [
    nameText(operation, titles),
    paint(colourOf(operation), operation.action),
    changeText(operation),
    howText(operation.effect),
    outageText(operation),
  ])
  const notes = [...operations.flatMap((operation) => notesOf(operation, titles)), ...warnings]
  const below = notes.map((note) => `${paint('yellow', 'note:')} ${note}\n`).join('')
  return `${renderTable(COLUMNS, rows)}${below}`
}

/** What would change, field by field. */
export function planDetails({ operations }: ChangePlan, titles: Titles, paint: Paint): string {
  return operations
    .map((operation) => {
      const sign = operation.action === 'create' ? '+' : operation.action === 'remove' ? '-' : '~'
      const head = paint(colourOf(operation), `${sign} ${operation.kind} ${nameOf(operation, titles)}`)
      const outage = outageText(operation)
      const how = [howText(operation.effect), outage === NO_OUTAGE ? '' : outage && `unavailable: ${outage}`]
        .filter((text) => text !== '')
        .join('; ')
      const lines = isWhole(operation) ? wholeLines(operation) : fieldLines(operation.fields, paint)
      return `${head}${how === '' ? '' : paint('dim', `  (${how})`)}\n${renderFields(lines, '    ')}`
    })
    .join('\n')
}

function nameText(operation: Operation, titles: Titles): string {
  const name = nameOf(operation, titles)
  return operation.kind === 'service' ? name : `${operation.kind} ${name}`
}

function nameOf({ kind, name }: Operation, titles: Titles): string {
  return printable(kind === 'service' ? titles(name) : name)
}

function colourOf({ action, deletesData }: Operation): 'green' | 'yellow' | 'red' {
  if (action === 'remove') return 'red'
  return action === 'create' && !deletesData ? 'green' : 'yellow'
}

function isWhole({ fields }: Operation): boolean {
  return fields.length === 1 && fields[0]?.path.length === 0
}

function changeText(operation: Operation): string {
  const { kind, action, fields, effect, deletesData } = operation
  if (action === 'remove') return deletesData ? 'its data goes' : kind === 'volume' ? 'not used any more; its data stays' : ''
  if (action === 'create') return wholeSummary(operation)
  if (action === 'scale' && effect !== null) {
    const [{ before, after } = {}] = fields
    return `${valueText(before)} → ${counted(Number(after), 'task')}`
  }
  return fieldSummary(fields)
}

function wholeSummary({ kind, fields, effect }: Operation): string {
  if (kind !== 'service') return ''
  const image = imageOf(fields[0]?.after)
  return `${image}${effect === null ? '' : `, ${counted(effect.tasks.after, 'task')}`}`
}

function imageOf(value: unknown): string {
  const image = at(at(at(value, 'spec'), 'task'), 'image')
  return typeof image === 'string' ? printable(image) : ''
}

/** The main words of what comes or goes: all of it would be a page. */
function wholeLines({ kind, fields }: Operation): readonly (readonly [string, string])[] {
  const value = fields[0]?.after ?? fields[0]?.before
  if (kind !== 'service') return []
  const spec = at(value, 'spec')
  const shown = [
    ['image', at(at(spec, 'task'), 'image')],
    ['replicas', at(spec, 'replicas')],
    ['ports', at(spec, 'ports')],
    ['environment', at(at(spec, 'task'), 'environment')],
    ['mounts', at(at(spec, 'task'), 'mounts')],
  ] as const
  return shown.flatMap(([name, field]) => (isEmpty(field) ? [] : [[name, valueText(field)] as const]))
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}

function howText(effect: Effect | null): string {
  if (effect === null || effect.strategy === null || effect.tasks.replaced === 0) return ''
  const { strategy, order, tasks } = effect
  const manner = strategy === 'rolling' ? `rolling, ${order ?? ''}` : strategy
  return `${manner}, ${counted(tasks.replaced, 'task')} anew`
}

const NO_OUTAGE = 'no'

function outageText({ effect, kind }: Operation): string {
  if (kind !== 'service' || effect === null) return ''
  const { outage } = effect
  if (outage === null) return effect.strategy === null ? '' : NO_OUTAGE
  if (outage.aboutMs === null) return outage.tasks === outage.of ? 'from then on' : ''
  const who = outage.tasks >= outage.of ? 'all of it' : `${outage.tasks} of ${outage.of} at a time`
  return `${who}, up to about ${tookText(outage.aboutMs)}`
}

function notesOf(operation: Operation, titles: Titles): readonly string[] {
  const { effect, deletesData } = operation
  const name = nameText(operation, titles)
  const data = deletesData ? [`${name}: what is on it is deleted`] : []
  if (effect === null) return data
  const reason =
    effect.orderReason === null || effect.tasks.replaced === 0
      ? []
      : [`${name}: the old task stops before the new one starts, for ${effect.orderReason}`]
  return [...data, ...reason, ...(effect.note === '' ? [] : [`${name}: ${effect.note}`])]
}
