import { parseDurationMs } from '#base'

import { cliError } from '../errors.ts'

const DAY_MS = 24 * 3_600_000
const UNITS_MS: Readonly<Record<string, number>> = { d: DAY_MS, w: 7 * DAY_MS }
/** An environment that nobody thinks of any more should go by itself. */
const PLAIN_LIFE_MS = 7 * DAY_MS

/** `3d`, `2w`, `1h30m`, or `never` (null); a week when nothing was said. Errors: `cli.usage`. */
export function readLife(text: string | undefined): number | null {
  if (text === undefined) return PLAIN_LIFE_MS
  if (text === 'never') return null
  const [, count = '', unit = '', rest = text] = /^(\d+(?:\.\d+)?)([dw])(.*)$/.exec(text) ?? []
  try {
    const daysMs = Math.round(Number(count) * (UNITS_MS[unit] ?? 0))
    return rest === '' && daysMs > 0 ? daysMs : daysMs + parseDurationMs(rest, '--ttl')
  } catch (error) {
    throw cliError('cli.usage', `--ttl: ${JSON.stringify(text)} is no time`, {
      hint: 'Write 3d, 12h, 1d12h, or never.',
      cause: error,
    })
  }
}
