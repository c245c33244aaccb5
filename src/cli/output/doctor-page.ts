import type { Finding, FindingLevel } from '#operate/doctor'

import type { Colour, Paint } from './colour.ts'
import { wrap } from './table.ts'
import { counted } from './units.ts'

const LEVELS: readonly (readonly [FindingLevel, string, Colour])[] = [
  ['problem', 'Problems', 'red'],
  ['warning', 'Warnings', 'yellow'],
  ['note', 'Good to know', 'blue'],
  ['ok', 'Fine', 'green'],
]

/** The gravest first. Findings that are ok are only counted unless asked for. */
export function doctorPage(findings: readonly Finding[], showsAll: boolean, paint: Paint, width: number): string {
  const sections = LEVELS.filter(([level]) => level !== 'ok' || showsAll).flatMap(([level, title, colour]) => {
    const those = findings.filter((finding) => finding.level === level)
    return those.length === 0
      ? []
      : [`${paint(colour, title)}\n${those.map((finding) => findingText(finding, paint, width)).join('')}`]
  })
  const count = (level: FindingLevel) => findings.filter((finding) => finding.level === level).length
  const verdict =
    count('problem') > 0 ? paint('red', 'Containers will not run well here.') : paint('green', 'Containers can run here.')
  const fine = count('ok') > 0 && !showsAll ? ` ${counted(count('ok'), 'check')} found nothing (--all shows them).` : ''
  return `${sections.join('\n')}${sections.length > 0 ? '\n' : ''}${verdict} ${counted(count('problem'), 'problem')}, ${counted(count('warning'), 'warning')}, ${counted(count('note'), 'note')}.${fine}\n`
}

function findingText(finding: Finding, paint: Paint, width: number): string {
  const lines = [
    ...wrap(finding.what, width - 4).map((line, i) => `${i === 0 ? '  • ' : '    '}${line}`),
    ...(finding.why === '' ? [] : wrap(finding.why, width - 4).map((line) => `    ${paint('dim', line)}`)),
    ...(finding.advice === '' ? [] : wrap(`→ ${finding.advice}`, width - 4).map((line) => `    ${line}`)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}
