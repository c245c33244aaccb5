/**
 * Logs: what containers wrote, read back from the files that their shims write, across rotation, compression and daemon restarts; and what the
 * options of log drivers mean.
 */
export { attributesText, chooseAttributes, type AttributeFacts } from './attributes.ts'
export { logError } from './errors.ts'
export { formatTimeNs, parseLogLine, timeNs } from './line.ts'
export { readLogDriver, readLogOptions, type AttributeChoice, type LogDriver, type LogPolicy } from './options.ts'
export type * from './port.ts'
export { readLog } from './read.ts'
