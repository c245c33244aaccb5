import type { MetricFamily } from './model.ts'
import { COUNTER_SUFFIX } from './names.ts'

/** Which of the two texts: Prometheus text format 0.0.4, or OpenMetrics 1.0.0. */
export type TextFormat = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** The one that the client's Accept header puts first; whoever says nothing gets the older one. */
export function formatFor(accept: string | undefined): TextFormat {
  const wishes = (accept ?? '').split(',').map((wish) => {
    const [type = '', ...parameters] = wish.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    return { type, weight: weight === undefined ? 1 : Number(weight) || 0 }
  })
  const weightOf = (type: string) => Math.max(0, ...wishes.filter((wish) => wish.type === type).map(({ weight }) => weight))
  return weightOf('application/openmetrics-text') > Math.max(weightOf('text/plain'), 0) ? 'openmetrics' : 'prometheus'
}

/** Families without a sample are left out. `note`: a comment line at the top, in the Prometheus format only. */
export function writeText(families: readonly MetricFamily[], format: TextFormat): string {
  let text = ''
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue
    const isOpen = format === 'openmetrics'
    const isNamedCounter = type === 'counter' && name.endsWith(COUNTER_SUFFIX)
    const title = isOpen && isNamedCounter ? name.slice(0, -COUNTER_SUFFIX.length) : name
    // OpenMetrics knows no counter without the suffix.
    const isUnknown = isOpen && (type === 'untyped' || (type === 'counter' && !isNamedCounter))
    text += `# HELP ${title} ${escapedHelp(help, isOpen)}\n# TYPE ${title} ${isUnknown ? 'unknown' : type}\n`
    for (const { suffix, labels, value } of samples)
      text += labels === '' ? `${name}${suffix} ${numberText(value)}\n` : `${name}${suffix}{${labels}} ${numberText(value)}\n`
  }
  return format === 'openmetrics' ? `${text}# EOF\n` : text
}

/** As Go's strconv reads it: both formats. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function escapedHelp(help: string, isOpen: boolean): string {
  const text = help.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return isOpen ? text.replaceAll('"', '\\"') : text
}
