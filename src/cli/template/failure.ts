import type { GloveboxError } from '#base'

import { cliError } from '../errors.ts'

const SHOWN = 30

/** What is wrong with a template, and where: the place is counted in characters from 1, with the text that begins there. */
export function templateFailure(source: string, at: number, message: string, hint?: string): GloveboxError {
  const rest = source.slice(at, at + SHOWN)
  const near = rest === '' ? 'at its end' : `at character ${at + 1}, ${JSON.stringify(rest)}`
  return cliError('cli.usage', `--format: ${message} (${near})`, hint === undefined ? {} : { hint })
}
