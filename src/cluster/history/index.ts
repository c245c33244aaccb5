/**
 * What happened to services: who changed what, when and from where, and what came of it. A record is written in the transaction that makes it true, so it is there exactly once
 * whoever dies; the oldest go, by number and by age.
 */
export { startHistoryKeeping } from './keeping-loop.ts'
export { openHistory, type History, type HistoryWish } from './open-history.ts'
export { historyPuts, type Happening } from './records.ts'
export { revisionChanges } from './revision-changes.ts'
export { isTelling, rolloutEvents } from './rollout-events.ts'
