import type { HistoryRecord } from '#cluster/model'

import { KEPT_IN_ALL, KEPT_MS, KEPT_OF_SERVICE, KEPT_RESTARTS } from './bounds.ts'

/** What decides whether a record stays. */
export interface Kept {
  readonly key: string
  readonly service: string
  readonly atMs: number
  readonly isRestart: boolean
}

export function keptOf(key: string, { service, atMs, event }: HistoryRecord): Kept {
  return { key, service, atMs, isRestart: event.type === 'task-restarted' }
}

/** Not one by one once there are too many: that would be a sort for each. */
const LEFT_IN_ALL = KEPT_IN_ALL * 0.9

/** The keys that go: what is too old, of each service the oldest above its number, and of all the oldest above theirs. Pure. */
export function planKeeping(all: readonly Kept[], nowMs: number): readonly string[] {
  const going = new Set(all.filter(({ atMs }) => atMs < nowMs - KEPT_MS).map(({ key }) => key))
  const youngest = all.filter(({ key }) => !going.has(key)).toSorted(youngestFirst)
  for (const ofService of Map.groupBy(youngest, ({ service }) => service).values()) {
    const restarts = ofService.filter(({ isRestart }) => isRestart).slice(KEPT_RESTARTS)
    for (const { key } of restarts) going.add(key)
    for (const { key } of ofService.filter(({ key }) => !going.has(key)).slice(KEPT_OF_SERVICE)) going.add(key)
  }
  const staying = youngest.filter(({ key }) => !going.has(key))
  if (staying.length > KEPT_IN_ALL) for (const { key } of staying.slice(LEFT_IN_ALL)) going.add(key)
  return [...going]
}

function youngestFirst(a: Kept, b: Kept): number {
  return b.atMs - a.atMs || (a.key < b.key ? 1 : -1)
}
