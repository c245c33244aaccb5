import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { widthOf } from '../output/colour.ts'
import { compileTemplate } from '../template/template.ts'

/** A line of a list: every field that a template may name. Functions are fields with arguments, `{{.Label "x"}}`. */
export type Row = Readonly<Record<string, string | boolean | null | ((name: string) => string)>>

export interface Listing {
  /** Of every field. */
  readonly headings: Readonly<Record<string, string>>
  /** The fields that are shown when nothing else was asked for. */
  readonly table: readonly string[]
  readonly rows: readonly Row[]
}

/** Prints a list as a table, as JSON (one object a line), by a template, or as a table by a template. Errors: `cli.usage`. */
export function printListing(listing: Listing, format: string | undefined, context: CliContext): void {
  context.terminal.stdout.write(listingText(listing, format))
}

export function listingText(listing: Listing, format: string | undefined): string {
  if (format === undefined || format === '' || format === 'table')
    return alignedText([
      listing.table.map((name) => listing.headings[name] ?? ''),
      ...listing.rows.map((row) => cells(listing, row)),
    ])
  if (format === 'json' || format === '{{json .}}')
    return listing.rows.map((row) => `${JSON.stringify(plainRow(row))}\n`).join('')
  if (format === 'raw')
    throw cliError('cli.usage', '--format: raw is not supported', { hint: 'Use json, or a template such as {{.Name}}.' })
  if (!/^table\s/.test(format)) {
    const template = compileTemplate(unescaped(format))
    return listing.rows.map((row) => `${template.render(row)}\n`).join('')
  }
  const template = compileTemplate(unescaped(format.replace(/^table\s+/, '')))
  const lines = [
    template.heading({ ...listing.headings, Label: labelHeading }),
    ...listing.rows.map((row) => template.render(row)),
  ]
  return alignedText(lines.map((line) => line.split('\t')))
}

function cells(listing: Listing, row: Row): readonly string[] {
  return listing.table.map((name) => String(row[name] ?? ''))
}

function plainRow(row: Row): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([, value]) => typeof value !== 'function')
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** `\t` and `\n` are two characters when they come from a shell. Inside of actions they are the template's own business. */
export function unescaped(format: string): string {
  return format.replace(/\{\{.*?\}\}|\\[tn]/gs, (found) => (found === '\\t' ? '\t' : found === '\\n' ? '\n' : found))
}

/** `com.example.owner-name` stands above its column as `owner name`. */
function labelHeading(name: string): string {
  return (name.split('.').at(-1) ?? '').replaceAll(/[-_]/g, ' ')
}

const GAP = 3
const MIN_WIDTH = 10

/** Columns of at least ten places with three between them, as wide as a terminal shows them. Ends with a line feed. */
export function alignedText(lines: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const line of lines)
    line.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? MIN_WIDTH, widthOf(cell) + GAP)
    })
  return lines
    .map((line) => line.map((cell, i) => (i === line.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell)))))
    .map((line) => `${line.join('').trimEnd()}\n`)
    .join('')
}

/** `a=b,c=d`, and a function that looks one up. */
export function labelFields(labels: Readonly<Record<string, string>> | null | undefined): {
  readonly Labels: string
  readonly Label: (name: string) => string
} {
  const all = labels ?? {}
  return {
    Labels: Object.entries(all)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join(','),
    Label: (name) => all[name] ?? '',
  }
}
