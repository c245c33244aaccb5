import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** Longer answers are none. */
const MAX_ANSWER_CHARS = 100

/** Asks what will be lost. True for yes. Without anybody to answer it is refused: `flag` is what scripts say. Errors: `cli.usage`. */
export async function confirm(warning: string, context: CliContext, flag = '--force'): Promise<boolean> {
  const { stdin, stdout } = context.terminal
  stdout.write(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `)
  let answer = ''
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    answer += chunk.toString('utf8')
    if (answer.includes('\n') || answer.length > MAX_ANSWER_CHARS) break
  }
  if (answer === '') {
    stdout.write('\n')
    throw cliError('cli.usage', 'nobody answered, so nothing was removed', { hint: `Say ${flag} where nobody can be asked.` })
  }
  return /^y(es)?$/i.test(answer.split('\n')[0]?.trim() ?? '')
}
