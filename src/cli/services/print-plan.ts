import type { ChangePlan } from '#api/glovebox'

import { text } from '../args/flags.ts'
import type { CliContext } from '../command.ts'
import { fillTemplate } from '../output/template.ts'

export const planFormatFlag = text(
  'FORMAT',
  "table (default), json, or a template for each operation such as '{{.action}} {{.name}}'",
)

/** Prints a plan as the user asked; `table` is how people read it. Errors: `cli.usage`. */
export function printPlan(plan: ChangePlan, format: string | undefined, table: string, { terminal }: CliContext): void {
  if (format === undefined || format === 'table') terminal.stdout.write(table)
  else if (format === 'json') terminal.stdout.write(`${JSON.stringify(plan)}\n`)
  else for (const operation of plan.operations) terminal.stdout.write(`${fillTemplate(format, operation)}\n`)
}
