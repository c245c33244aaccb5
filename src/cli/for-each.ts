import type { Client } from '#client'

import type { CliContext } from './command.ts'
import { errorText, exitCodeOf } from './exit-code.ts'

/** Does one thing to each operand, printing those that went well. A failure does not keep the others from their turn. */
export async function forEach(
  operands: readonly string[],
  context: CliContext,
  act: (client: Client, operand: string) => Promise<void>,
): Promise<number> {
  const client = await context.client()
  let code = 0
  for (const operand of operands) {
    try {
      await act(client, operand)
      context.terminal.stdout.write(`${operand}\n`)
    } catch (error) {
      code = Math.max(code, exitCodeOf(error))
      context.terminal.stderr.write(errorText(error, context.paint))
      // Nobody there: asking again for the next one tells the same.
      if (code === 3) break
    }
  }
  return code
}
