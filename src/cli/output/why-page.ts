import type { Diagnosis, WhyReport } from '#api/glovebox'

import { printable, type Colour, type Paint } from './colour.ts'
import { wrap } from './table.ts'
import { roughDuration } from './units.ts'

const COLOURS: Readonly<Record<Diagnosis['severity'], Colour>> = { failure: 'red', warning: 'yellow', note: 'blue' }

/** Each diagnosis: the sentence, what it was seen by, and what to do. */
export function whyPage(
  report: WhyReport,
  paint: Paint,
  { width, nowMs }: { readonly width: number; readonly nowMs: number },
): string {
  const parts = report.diagnoses.map((diagnosis) => diagnosisText(diagnosis, paint, width, nowMs))
  const well = report.isWell ? [`${paint('green', printable(report.summary))}\n`] : []
  const left = report.left === 0 ? [] : [`And ${report.left} more.\n`]
  return [...well, ...parts, ...left].join('\n')
}

function diagnosisText(
  { severity, sentence, evidence, advice, sinceMs }: Diagnosis,
  paint: Paint,
  width: number,
  nowMs: number,
): string {
  const since = sinceMs === null || sinceMs > nowMs ? '' : ` (${roughDuration(nowMs - sinceMs)} ago)`
  const lines = [
    ...wrap(`${printable(sentence)}${since}`, width).map((line) => paint(COLOURS[severity], line)),
    ...evidence.flatMap((text) => wrap(printable(text), width - 4).map((line) => `    ${paint('dim', line)}`)),
    ...(advice === '' ? [] : wrap(`→ ${printable(advice)}`, width - 2).map((line) => `  ${line}`)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}
