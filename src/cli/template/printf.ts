import { show } from './show.ts'

const VERB = /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g
/** Wider than any terminal; a template must not ask for gigabytes of spaces. */
const MAX_WIDTH = 1000

/** Go's Printf (package fmt) with the verbs that texts and numbers need: v s q d x X o b c t f e g. */
export function printf(format: string, values: readonly unknown[]): string {
  let used = 0
  const text = format.replace(
    VERB,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (used >= values.length) return `%!${verb}(MISSING)`
      const value = values[used]
      used += 1
      const spec = { flags, precision: precision === undefined ? undefined : Math.min(Number(precision), 100) }
      return padded(verbText(verb, value, spec), Math.min(Number(width ?? 0), MAX_WIDTH), flags, typeof value === 'number')
    },
  )
  if (used >= values.length) return text
  const extra = values.slice(used).map((value) => `${typeName(value)}=${show(value)}`)
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

interface Spec {
  readonly flags: string
  readonly precision: number | undefined
}

function verbText(verb: string, value: unknown, { flags, precision }: Spec): string {
  const sign = flags.includes('+') && typeof value === 'number' && value >= 0 ? '+' : ''
  const integer = typeof value === 'number' && Number.isInteger(value) ? value : undefined
  switch (verb) {
    case 'v':
      return typeof value === 'number' ? sign + show(value) : show(value)
    case 's':
      return typeof value === 'number' || typeof value === 'boolean'
        ? wrong(verb, value)
        : [...show(value)].slice(0, precision).join('')
    case 'q':
      return typeof value === 'string' ? JSON.stringify(value) : wrong(verb, value)
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong(verb, value)
    case 'd':
      return integer === undefined ? wrong(verb, value) : sign + show(integer)
    case 'x':
    case 'X': {
      const hex = typeof value === 'string' ? Buffer.from(value).toString('hex') : integer?.toString(16)
      return hex === undefined ? wrong(verb, value) : verb === 'X' ? hex.toUpperCase() : hex
    }
    case 'o':
      return integer?.toString(8) ?? wrong(verb, value)
    case 'b':
      return integer?.toString(2) ?? wrong(verb, value)
    case 'c':
      return integer === undefined || integer < 0 || integer > 0x10_ffff ? wrong(verb, value) : String.fromCodePoint(integer)
    case 'f':
    case 'F':
      return typeof value === 'number' ? sign + value.toFixed(precision ?? 6) : wrong(verb, value)
    case 'e':
      return typeof value === 'number'
        ? sign + value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
        : wrong(verb, value)
    case 'g':
      return typeof value === 'number'
        ? sign + show(precision === undefined ? value : Number(value.toPrecision(precision || 1)))
        : wrong(verb, value)
    default:
      return wrong(verb, value)
  }
}

/** What Go writes in place of a value that does not fit its verb. */
function wrong(verb: string, value: unknown): string {
  return `%!${verb}(${typeName(value)}=${show(value)})`
}

function typeName(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return '[]interface {}'
  return typeof value === 'string' ? 'string' : value === null || value === undefined ? '<nil>' : 'map[string]interface {}'
}

function padded(text: string, width: number, flags: string, isNumber: boolean): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text
  const [sign, digits] = /^[+-]/.test(text) ? ([text.slice(0, 1), text.slice(1)] as const) : (['', text] as const)
  return sign + '0'.repeat(missing) + digits
}
