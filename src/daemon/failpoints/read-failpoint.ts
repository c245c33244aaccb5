import { fail, type Log } from '#base'

import { failpointsAt, noFailpoints, type Failpoints } from './failpoints.ts'
import { failpointNames } from './steps.ts'

/** Writes every step to the log instead of dying at one. */
const TRACE = 'trace'

/**
 * Reads GLOVEBOX_FAILPOINT: `NAME` or `NAME:NTH` kills the daemon by SIGKILL right before it takes that step for the nth time since it was
 * ready; `recovery:NTH` before its nth step on the way there; `trace` writes the steps to the log. Error: `input.invalid`.
 */
export function readFailpoint(
  text: string | undefined,
  { log, kill }: { readonly log: Log; readonly kill: () => void },
): Failpoints {
  if (text === undefined || text === '') return noFailpoints
  if (text === TRACE) return failpointsAt((name) => log.info('failpoint', { name }))
  const [, name = '', nth = '1'] = /^([^:]+)(?::([1-9]\d*))?$/.exec(text) ?? []
  if (name !== 'recovery' && !failpointNames().includes(name))
    throw fail('input.invalid', `GLOVEBOX_FAILPOINT=${text}: there is no such step`, {
      hint: `Write \`trace\`, \`recovery:NTH\`, or one of: ${failpointNames().join(', ')}`,
    })
  log.warn('this daemon will kill itself', { before: name, nth: Number(nth) })
  let left = Number(nth)
  return failpointsAt((hit) => {
    if (hit !== name) return
    left -= 1
    if (left === 0) kill()
  })
}
