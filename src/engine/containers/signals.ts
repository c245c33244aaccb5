import { constants } from 'node:os'

import { containerError } from './errors.ts'

/** SIGRTMIN and SIGRTMAX as glibc counts them: signal(7). */
const SIGRTMIN = 34
const SIGRTMAX = 64

/** Number of a signal written as `TERM`, `SIGTERM`, `15`, `RTMIN+3`. Error: `container.signal_unknown`. */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text)
    if (number >= 1 && number <= SIGRTMAX) return number
  }
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`
  const known = (constants.signals as Readonly<Record<string, number>>)[name]
  if (known !== undefined) return known
  const realtime = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (realtime !== null) {
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === '-' ? -1 : 1)
    const number = (realtime[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + offset
    if (number >= SIGRTMIN && number <= SIGRTMAX) return number
  }
  throw containerError('container.signal_unknown', `Invalid signal: ${text}`, {
    hint: 'Write a name such as TERM or SIGKILL, or a number from 1 to 64.',
  })
}
