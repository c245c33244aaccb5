/**
 * Base: what every module may lean on. Errors with a closed set of kinds, beliefs that stay checked, ports for time,
 * randomness and log, ids, units, locks and back-off. Imports nothing of the house.
 */
export { backoffMs, type BackoffPolicy } from './backoff.ts'
export { systemClock, virtualClock, type Clock, type VirtualClock } from './clock.ts'
export {
  declareErrors,
  during,
  fail,
  GloveboxError,
  isKind,
  messageOf,
  systemCodeOf,
  type ErrorKind,
  type ErrorMaker,
  type GloveboxErrorOptions,
} from './errors.ts'
export {
  newId,
  shortId,
  type Branded,
  type ContainerId,
  type Digest,
  type EndpointId,
  type ExecId,
  type NetworkId,
} from './ids.ts'
export { invariant, unreachable } from './invariant.ts'
export { limiter, type Limiter } from './limiter.ts'
export { keyedLocks, type KeyedLocks } from './locks.ts'
export { lineLog, silentLog, type Log, type LogFields, type LogLevel } from './log.ts'
export { seededRandom, systemRandom, type Random } from './random.ts'
export { nearest } from './nearest.ts'
export { memoryRecords, type RecordStore, type RecordTable } from './records.ts'
export { formatBytes, parseBytes, parseDurationMs } from './units.ts'
