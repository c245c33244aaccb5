import { jobError } from './errors.ts'

/** When a job runs, as crontab(5) says it. Each set holds the numbers that match. */
export interface Cron {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  /** 1 to 31. */
  readonly days: ReadonlySet<number>
  /** 1 to 12. */
  readonly months: ReadonlySet<number>
  /** 0 (Sunday) to 6. */
  readonly weekdays: ReadonlySet<number>
  /** Both days are restricted: one of them is enough. Otherwise both have to match. */
  readonly isEitherDay: boolean
  /** Minute or hour begin with `*`: it follows the clock on the wall, and is not about certain times of a day. */
  readonly isRepeating: boolean
}

interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  /** The first stands for `least`. */
  readonly names: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MINUTE: Field = { name: 'minute', least: 0, most: 59, names: [] }
const HOUR: Field = { name: 'hour', least: 0, most: 23, names: [] }
const DAY: Field = { name: 'day of month', least: 1, most: 31, names: [] }
const MONTH: Field = { name: 'month', least: 1, most: 12, names: MONTHS }
/** 7 is Sunday as well. */
const WEEKDAY: Field = { name: 'day of week', least: 0, most: 7, names: WEEKDAYS }

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** Longer ones are a mistake, or malice. */
const MAX_LENGTH = 1000

/**
 * Reads five fields, or a nickname such as `@daily`: crontab(5) of Debian's cron, with names allowed in lists and ranges too. Errors: `cron.invalid`, which names
 * the field and the value.
 */
export function parseCron(text: string): Cron {
  if (text.length > MAX_LENGTH) throw invalid(text.slice(0, 40), `is longer than ${MAX_LENGTH} characters`)
  const trimmed = text.trim()
  const expanded = trimmed.startsWith('@') ? NICKNAMES[trimmed.toLowerCase()] : trimmed
  if (expanded === undefined) throw invalid(text, `${trimmed} is not known`, `Known are ${Object.keys(NICKNAMES).join(', ')}.`)
  const fields = expanded.split(/[ \t]+/)
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields
  if (fields.length !== 5)
    throw invalid(
      text,
      `has ${trimmed === '' ? 0 : fields.length} fields instead of 5`,
      'Write minute, hour, day of month, month and day of week, such as 30 4 * * mon-fri.',
    )
  const read = (field: Field, value: string) => readField(text, field, value)
  const cron: Cron = {
    minutes: read(MINUTE, minute),
    hours: read(HOUR, hour),
    days: read(DAY, day),
    months: read(MONTH, month),
    weekdays: new Set([...read(WEEKDAY, weekday)].map((number) => number % 7)),
    isEitherDay: !day.startsWith('*') && !weekday.startsWith('*'),
    isRepeating: minute.startsWith('*') || hour.startsWith('*'),
  }
  if (!cron.isEitherDay && !hasAnyDay(cron)) throw invalid(text, `no month in ${month} has a day ${day}`)
  return cron
}

function readField(text: string, field: Field, value: string): ReadonlySet<number> {
  const numbers = new Set<number>()
  for (const part of value.split(',')) for (const number of readPart(text, field, part)) numbers.add(number)
  return numbers
}

/** `*`, `7`, `1-5`, `mon-fri`, each of the ranges with a step: `10-30/5`. */
function readPart(text: string, field: Field, part: string): readonly number[] {
  const say = (what: string, hint?: string) => invalid(text, `${field.name}: ${what}`, hint)
  if (part === '') throw say('a value is missing', 'Between two commas, and before and after each, there has to be one.')
  const [range = '', stepText, more] = part.split('/')
  if (more !== undefined) throw say(`${part} has two steps`)
  const step = stepText === undefined ? 1 : Number(stepText)
  if (stepText !== undefined && (!/^\d+$/.test(stepText) || step < 1 || step > field.most))
    throw say(`${JSON.stringify(stepText)} in ${part} is no step between 1 and ${field.most}`)
  const [from, to] = readRange(range)
  if (from > to) throw say(`${range} goes backwards`, 'Write it as two ranges with a comma between them.')
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)

  function readRange(range: string): readonly [number, number] {
    if (range === '*') return [field.least, field === WEEKDAY ? 6 : field.most]
    const [first = '', last, ...rest] = range.split('-')
    if (rest.length > 0) throw say(`${JSON.stringify(range)} is no range`)
    if (last === undefined && stepText !== undefined)
      throw say(`${part}: a step needs a range`, `Write ${range}-${field.most}/${stepText} or */${stepText}.`)
    const from = readNumber(first)
    const to = last === undefined ? from : readNumber(last)
    // Fri-Sun: here Sunday is the end of the week.
    return field === WEEKDAY && last !== undefined && to === 0 && from > 0 ? [from, 7] : [from, to]
  }

  function readNumber(word: string): number {
    const named = field.names.indexOf(word.toLowerCase())
    if (named >= 0) return named + field.least
    const number = Number(word)
    if (!/^\d{1,4}$/.test(word))
      throw say(
        `${JSON.stringify(word)} is not a number${field.names.length === 0 ? '' : ` or a name (${field.names.join(', ')})`}`,
      )
    if (number < field.least || number > field.most) throw say(`${word} is not between ${field.least} and ${field.most}`)
    return number
  }
}

/** In some year: February has 29 days here. */
function hasAnyDay(cron: Cron): boolean {
  return [...cron.months].some((month) => [...cron.days].some((day) => day <= (MONTH_DAYS[month - 1] ?? 0)))
}

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function invalid(text: string, what: string, hint?: string) {
  return jobError('cron.invalid', `schedule ${JSON.stringify(text)}: ${what}`, hint === undefined ? {} : { hint })
}
