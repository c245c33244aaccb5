import { samplesOf, type Block } from './block.ts'
import type { Samples } from './evaluate.ts'
import type { HistoryFile } from './history-file.ts'
import { decodeRow } from './row.ts'
import { SLOT_MS, TIERS, type Tier } from './tiers.ts'

export interface Span {
  readonly tier: Tier
  readonly fromMs: number
  /** Not included. */
  readonly toMs: number
}

/**
 * Which tier tells of which time, the oldest first: the coarsest one that is as fine as the step, and before its time is over the next coarser. What is in memory (from `memoryFromMs`)
 * is in no tier. Pure.
 */
export function planSpans(of: {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
  readonly nowMs: number
  readonly memoryFromMs: number
  /** Of each tier's time, what is kept. */
  readonly share: number
}): readonly Span[] {
  const wanted = TIERS.findLastIndex(({ stepMs }) => stepMs <= of.stepMs)
  const spans: Span[] = []
  let endMs = Math.min(of.toMs, of.memoryFromMs)
  for (const tier of TIERS.slice(Math.max(0, wanted))) {
    const fromMs = Math.max(of.fromMs, of.nowMs - tier.keepMs * of.share)
    if (fromMs >= endMs) continue
    spans.unshift({ tier, fromMs, toMs: endMs })
    endMs = fromMs
  }
  return spans
}

/** How far apart samples are where the spans are coarsest. */
export function coarsestStepMs(spans: readonly Span[]): number {
  return Math.max(SLOT_MS, ...spans.map(({ tier }) => tier.stepMs))
}

/** Errors: `history.damaged`. */
export function readSamples(
  id: number,
  of: {
    readonly file: HistoryFile
    readonly spans: readonly Span[]
    readonly blocks: readonly Block[]
    readonly fromMs: number
    readonly toMs: number
  },
): Samples {
  const timesMs: number[] = []
  const values: number[] = []
  const maxima: number[] = []
  const spansMs: number[] = []
  const add = (startMs: number, stepMs: number, all: Float64Array, most: Float64Array | null, fromMs: number, toMs: number) => {
    // What stands for a step was known at its end.
    const endMs = startMs + stepMs - SLOT_MS
    const first = Math.max(0, Math.ceil((fromMs - endMs) / stepMs))
    for (let at = first; at < all.length && endMs + at * stepMs < toMs; at += 1) {
      const value = all[at] ?? NaN
      if (Number.isNaN(value)) continue
      timesMs.push(endMs + at * stepMs)
      values.push(value)
      maxima.push(most?.[at] ?? value)
      spansMs.push(stepMs)
    }
  }
  for (const { tier, fromMs, toMs } of of.spans)
    for (const { startMs, bytes } of of.file.rows(tier, id, fromMs, toMs - 1)) {
      const row = decodeRow(bytes)
      add(startMs, tier.stepMs, row.values, row.maxima, fromMs, toMs)
    }
  for (const block of of.blocks) add(block.startMs, SLOT_MS, samplesOf(block, id), null, of.fromMs, of.toMs + 1)
  return { timesMs, values, maxima, spansMs }
}
