import { text } from '../args/flags.ts'
import type { CliContext } from '../command.ts'
import { compileTemplate } from '../template/template.ts'
import { absentFields, withOrderedMaps } from './absent-fields.ts'

export const objectFormatFlag = text('FORMAT', "json, or a template such as '{{.State.Pid}}'", 'f')

/** Prints what the API says of objects: all of it as JSON, or by a template one line each. Errors: `cli.usage`. */
export function printObjects(objects: readonly unknown[], format: string | undefined, context: CliContext): void {
  const { stdout } = context.terminal
  const found = objects.map(withOrderedMaps)
  if (format === undefined) return void stdout.write(`${JSON.stringify(found, null, 4)}\n`)
  if (format === 'json') return void stdout.write(`${JSON.stringify(found)}\n`)
  stdout.write(found.map((one) => `${compileTemplate(format, absentFields(one)).render(one)}\n`).join(''))
}
