import { text } from './args/flags.ts'
import type { CliContext } from './command.ts'
import { fillTemplate } from './output/template.ts'
import { type Column, renderTable } from './output/table.ts'

/** The flag of every command that prints a list. */
export const formatFlag = text('FORMAT', "table (default), json (one object a line), or a template such as '{{.Name}}'")

export interface Listing<T> {
  readonly columns: readonly (Column & { readonly cell: (row: T) => string })[]
  readonly rows: readonly T[]
}

/** Prints a list as the user asked. Templates and JSON see the rows themselves. */
export function printList<T>(listing: Listing<T>, format: string | undefined, context: CliContext): void {
  const { stdout } = context.terminal
  if (format === 'json') for (const row of listing.rows) stdout.write(`${JSON.stringify(row)}\n`)
  else if (format === undefined || format === 'table')
    stdout.write(
      renderTable(
        listing.columns,
        listing.rows.map((row) => listing.columns.map((column) => column.cell(row))),
      ),
    )
  else for (const row of listing.rows) stdout.write(`${fillTemplate(format, row)}\n`)
}

/** `--filter name=value`, gathered as the API wants them. */
export function filterQuery(filters: readonly string[]): string | undefined {
  if (filters.length === 0) return undefined
  const gathered: Record<string, string[]> = {}
  for (const filter of filters) {
    const [name = '', ...rest] = filter.split('=')
    gathered[name] = [...(gathered[name] ?? []), rest.join('=')]
  }
  return JSON.stringify(gathered)
}
