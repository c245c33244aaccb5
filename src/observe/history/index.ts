/**
 * The history of metrics, in a file of this machine: samples every ten seconds, in coarser steps the longer ago, of a bounded size. A daemon that is killed loses the last minute. Series are
 * asked for by selectors and answered as plots want them.
 */
export { historyError } from './errors.ts'
export { openHistory, type History, type HistoryOptions } from './history.ts'
export type * from './port.ts'
export { startSampler, type SamplerNeeds } from './sampler.ts'
export { SLOT_MS } from './tiers.ts'
