import { readLogOptions } from '#engine/logs'

import type { DefaultLog, LogSpec } from './spec.ts'

export const DEFAULT_LOG: DefaultLog = { driver: 'json-file', options: {} }

/** What the daemon says of logs counts where the container says nothing: of the driver, and of its options one by one. Errors: `log.*`. */
export function withDefaultLog(fallback: DefaultLog, log: LogSpec): DefaultLog {
  const driver = log.driver === '' ? fallback.driver : log.driver
  const options = driver === fallback.driver ? { ...fallback.options, ...log.options } : log.options
  readLogOptions(driver, options)
  return { driver, options }
}
