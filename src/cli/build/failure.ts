import { type GloveboxError, messageOf } from '#base'
import type { SourceDockerfile } from '#client/context'
import { parseDockerfile } from '#oci/dockerfile'

import { type Paint, printable } from '../output/colour.ts'
import { instructionText, type BuildView, type StepView, type WarningView } from './view.ts'

/** Around an instruction, to recognise the place by. */
const AROUND_LINES = 2
const SHOWN_OUTPUT = 20

/** Pure: where and why a build failed: the last output of the step, the lines of its instruction. Empty when neither is known. */
export function failureText(error: unknown, build: BuildView, dockerfile: SourceDockerfile, paint: Paint): string {
  const line = lineOf(error, build)
  const step = line === undefined ? undefined : build.steps.findLast((one) => one.place.line === line && one.state === 'failed')
  const output = step === undefined || step.lines.length === 0 ? '' : outputText(build, step)
  return `${output}${line === undefined ? '' : excerpt(dockerfile, line, paint)}`
}

/** The place that the message begins with is the one that is meant; else that of the only step which had not ended. */
function lineOf(error: unknown, build: BuildView): number | undefined {
  const said = /^[^\n:]*:(\d+): /.exec(messageOf(error))?.[1]
  if (said !== undefined) return Number(said)
  if (!isOfBuilder(error)) return undefined
  const failed = build.steps.filter((step) => step.state === 'failed')
  return failed.length === 1 ? failed[0]?.place.line : undefined
}

function isOfBuilder(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? (error as GloveboxError).code : ''
  return !code.startsWith('client.') && !code.startsWith('cli.') && code !== 'operation.cancelled'
}

function outputText(build: BuildView, step: StepView): string {
  const title = build.title === '' ? '' : `${build.title} `
  const lines = step.lines.slice(-SHOWN_OUTPUT).map(({ atMs, text }) => `${(atMs / 1000).toFixed(3)} ${text}`.trimEnd())
  return `------\n > [${title}${step.label}] ${instructionText(step.text)}:\n${lines.join('\n')}\n------\n`
}

function excerpt({ shown, text }: SourceDockerfile, line: number, paint: Paint): string {
  const lines = text.split('\n')
  // Of a context that the daemon fetched there is no text here.
  if (text === '' || line < 1 || line > lines.length) return ''
  const { first, last } = rangeOf(text, line)
  const from = Math.max(1, first - AROUND_LINES)
  const to = Math.min(lines.at(-1) === '' ? lines.length - 1 : lines.length, last + AROUND_LINES)
  const width = String(to).length
  const numbered = lines.slice(from - 1, to).map((content, at) => {
    const number = from + at
    const isMeant = first <= number && number <= last
    const row = `${String(number).padStart(width + 2)} | ${isMeant ? '>>> ' : '    '}${printable(content.replace(/\r$/, '').replaceAll('\t', '    '))}`
    return isMeant ? paint('red', row) : row.trimEnd()
  })
  const rule = '-'.repeat(20)
  return `${printable(shown)}:${line}\n${rule}\n${numbered.join('\n')}\n${rule}\n`
}

/** All lines of the instruction, when the file can be read. */
function rangeOf(text: string, line: number): { readonly first: number; readonly last: number } {
  try {
    const { instructions } = parseDockerfile(text, { file: 'Dockerfile' })
    return instructions.find(({ lines }) => lines.first <= line && line <= lines.last)?.lines ?? { first: line, last: line }
  } catch {
    return { first: line, last: line }
  }
}

/** What was found in Dockerfiles, below the build. Empty when nothing was. */
export function warningsText(warnings: readonly WarningView[], paint: Paint): string {
  if (warnings.length === 0) return ''
  const head = `${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'} found:`
  const rows = warnings.map(
    ({ check, place, message }) => ` - ${check === null ? '' : `${check}: `}${printable(message)} (line ${place.line})`,
  )
  return `\n ${paint('yellow', head)}\n${rows.join('\n')}\n`
}

/** The whole answer of `--check`: each finding with the lines that it is about. */
export function findingsText(warnings: readonly WarningView[], dockerfile: SourceDockerfile, paint: Paint): string {
  if (warnings.length === 0) return 'Check complete, no warnings found.\n'
  const head = `Check complete, ${warnings.length} ${warnings.length === 1 ? 'warning has' : 'warnings have'} been found!\n`
  const each = warnings.map(
    ({ check, place, message }) =>
      `\n${paint('yellow', `WARNING: ${check ?? 'Dockerfile'}`)}\n${printable(message)}\n${excerpt(dockerfile, place.line, paint)}`,
  )
  return `${head}${each.join('')}`
}
