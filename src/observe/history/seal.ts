import { samplesOf, type Block } from './block.ts'
import type { HistoryFile } from './history-file.ts'
import { addToRow, decodeRow, encodeRow } from './row.ts'
import { rowStart, TIERS, type Tier } from './tiers.ts'

/** Puts a series' samples of a block to their places. Twice is as once: a daemon that died in between does it again. */
export function sealSeries(file: HistoryFile, block: Block, id: number, isRising: boolean): void {
  const samples = samplesOf(block, id)
  for (const tier of TIERS) {
    const startMs = rowStart(tier, block.startMs)
    const known = file.row(tier, id, startMs)
    const row = addToRow(known === undefined ? undefined : readable(known), {
      tier,
      rowStartMs: startMs,
      blockStartMs: block.startMs,
      samples,
      isRising,
    })
    file.putRow(tier, id, startMs, encodeRow(row, isRising))
  }
}

/** What is damaged is written anew. */
function readable(bytes: Uint8Array) {
  try {
    return decodeRow(bytes)
  } catch {
    return undefined
  }
}

/** Time that is kept, of each tier's whole: less when the file would grow over its bound. */
export function keptMs(tier: Tier, share: number): number {
  return tier.keepMs * share
}

/** Rows are dropped when the file is this full: there is room for another block. */
const FULL = 0.95
/** Kept time grows again by so little that it does not swing. */
const GROWTH = 1.05

/** How much of the time is kept after a block at whose end the file had this size. Pure. */
export function nextShare(share: number, usedBytes: number, maxBytes: number): number {
  if (usedBytes > maxBytes * FULL) return Math.max(LEAST_SHARE, share * Math.max(0.5, (maxBytes * FULL * FULL) / usedBytes))
  return usedBytes < maxBytes * 0.8 ? Math.min(1, share * GROWTH) : share
}

/** An hour of the finest tier stays whatever happens. */
const LEAST_SHARE = 1 / 6
