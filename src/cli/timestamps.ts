import { parseDurationMs } from '#base'

import { cliError } from './errors.ts'

/** Seconds since 1970 for the API, from a duration back from now, a number of seconds, or an RFC 3339 time. Errors: `cli.usage`. */
export function timestampQuery(flag: string, text: string | undefined, nowMs: number): string | undefined {
  if (text === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return text
  if (/^[\d.]+[a-zµ]/.test(text)) return ((nowMs - parseDurationMs(text, flag)) / 1000).toFixed(3)
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw cliError('cli.usage', `${flag}: ${JSON.stringify(text)} is not a time`, {
      hint: 'Write a duration back from now (10m), seconds since 1970, or a time such as 2026-01-31T14:00:00Z.',
    })
  return (ms / 1000).toFixed(3)
}
