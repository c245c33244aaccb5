/** Logs: what containers wrote, read back from the files that their shims write, across rotation and daemon restarts. */
export { formatTimeNs, parseLogLine, timeNs } from './line.ts'
export type * from './port.ts'
export { readLog } from './read.ts'
