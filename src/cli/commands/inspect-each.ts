import type { CliContext } from '../command.ts'
import { errorText, exitCodeOf } from '../exit-code.ts'
import { printObjects } from '../listing/object-format.ts'

/** Looks each name up and prints what was found; a name that leads nowhere does not keep the others from being shown. */
export async function inspectEach(
  names: readonly string[],
  format: string | undefined,
  context: CliContext,
  look: (name: string) => Promise<unknown>,
): Promise<number> {
  const found: unknown[] = []
  const errors: unknown[] = []
  for (const name of names) {
    try {
      found.push(await look(name))
    } catch (error) {
      errors.push(error)
    }
  }
  if (found.length > 0 || errors.length === 0 || format === undefined) printObjects(found, format, context)
  for (const error of errors) context.terminal.stderr.write(errorText(error, context.paint))
  return Math.max(0, ...errors.map(exitCodeOf))
}
