/** Crontab expressions, and the times that they mean in a time zone, through changes of clocks. Imports nothing but the base, so that files can be checked with it. */
export { parseCron, type Cron } from './cron.ts'
export { jobError } from './errors.ts'
export { nextTime } from './next-time.ts'
export { timeZone, type TimeZone } from './time-zone.ts'
