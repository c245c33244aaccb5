import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'

/** Longer than any password or token. */
const MAX_CHARS = 64 * 1024
const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const BACKSPACES = ['\u007f', '\b']

/** Asks on the terminal; what is secret is not shown while it is typed. Errors: `cli.usage` without a terminal, `cli.cancelled`. */
export async function ask(question: string, isSecret: boolean, context: CliContext): Promise<string> {
  const { stdin, stderr } = context.terminal
  if (!stdin.isTTY)
    throw cliError('cli.usage', 'nobody can be asked: the standard input is not a terminal', {
      hint: 'Say --username NAME --password-stdin.',
    })
  // Raw, because a terminal in its usual mode shows what is typed; before the question, for some answer at once.
  stdin.setRawMode(true)
  try {
    stderr.write(question)
    return await typedLine(context, isSecret)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

async function typedLine({ terminal: { stdin, stderr } }: CliContext, isSecret: boolean): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  const onBytes = (chunk: Buffer) => {
    for (const char of chunk.toString('utf8')) {
      if (char === '\r' || char === '\n') return resolve(text)
      if (char === CTRL_C || (char === CTRL_D && text === '')) return reject(cliError('cli.cancelled', 'cancelled'))
      if (BACKSPACES.includes(char)) {
        if (!isSecret && text !== '') stderr.write('\b \b')
        text = [...text].slice(0, -1).join('')
      } else if (char >= ' ' && text.length < MAX_CHARS) {
        if (!isSecret) stderr.write(char)
        text += char
      }
    }
  }
  stdin.on('data', onBytes)
  // The question before this one has left it paused.
  stdin.resume()
  try {
    return await promise
  } finally {
    stdin.off('data', onBytes)
  }
}

/** The whole standard input without the line end behind it. */
export async function readSecret({ terminal: { stdin } }: CliContext): Promise<string> {
  let text = ''
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8')
    if (text.length > MAX_CHARS) throw cliError('cli.usage', `--password-stdin: more than ${MAX_CHARS} characters`)
  }
  return text.replace(/\r?\n$/, '')
}
