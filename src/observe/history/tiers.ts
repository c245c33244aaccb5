/** One fineness of what is kept. */
export interface Tier {
  /** In the file. Never given to another. */
  readonly number: number
  readonly stepMs: number
  readonly keepMs: number
  /** What one row of the file holds. */
  readonly rowMs: number
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How often samples are taken. */
export const SLOT_MS = 10 * SECOND_MS
/**
 * What is in memory until it is put to its place: 15 KB for a container at the most. The longer, the more memory; the shorter, the more often rows are written anew. A multiple of the coarsest step.
 */
export const BLOCK_MS = 20 * MINUTE_MS
export const SLOTS = BLOCK_MS / SLOT_MS

/** From fine to coarse: a day's plot has a point a minute, one of two months a point every ten. Rows are whole multiples of a block. */
export const TIERS: readonly [Tier, Tier, Tier] = [
  { number: 0, stepMs: SLOT_MS, keepMs: 6 * HOUR_MS, rowMs: HOUR_MS },
  { number: 1, stepMs: MINUTE_MS, keepMs: 3 * DAY_MS, rowMs: 6 * HOUR_MS },
  { number: 2, stepMs: 10 * MINUTE_MS, keepMs: 60 * DAY_MS, rowMs: DAY_MS },
]

export function rowStart(tier: Tier, atMs: number): number {
  return Math.floor(atMs / tier.rowMs) * tier.rowMs
}

export function blockStart(atMs: number): number {
  return Math.floor(atMs / BLOCK_MS) * BLOCK_MS
}
