import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** A terminal inside needs one outside to be typed at. Errors: `cli.usage`. */
export function requireTerminal(flags: { readonly tty: boolean; readonly interactive: boolean }, context: CliContext): void {
  if (flags.tty && flags.interactive && !context.terminal.stdin.isTTY)
    throw cliError('cli.usage', 'the standard input is not a terminal', {
      hint: 'Leave -t out when input comes from a pipe or a file.',
    })
}
