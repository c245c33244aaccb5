import { byteReader, byteWriter } from './bytes.ts'
import { readValues, encodeValues } from './values-codec.ts'
import { SLOTS, SLOT_MS, type Tier } from './tiers.ts'

/** One series over the time of one row of a tier: `values[n]` is of the n-th step. NaN: nothing was measured. */
export interface Row {
  /** Of a counter its last value in each step; of others the average. */
  readonly values: Float64Array
  /** The highest in each step; null where it is the value itself: of counters, and in the finest tier. */
  readonly maxima: Float64Array | null
}

export function encodeRow({ values, maxima }: Row, isRising: boolean): Uint8Array {
  const writer = byteWriter()
  writer.varint(maxima === null ? 1 : 2)
  writer.bytes(encodeValues(values, isRising))
  if (maxima !== null) writer.bytes(encodeValues(maxima, false))
  return writer.done()
}

/** Errors: `history.damaged`. */
export function decodeRow(bytes: Uint8Array): Row {
  const reader = byteReader(bytes)
  const parts = reader.varint()
  const values = readValues(reader)
  return { values, maxima: parts === 2 ? readValues(reader) : null }
}

/** What a block of the finest samples adds to a row of a tier that began at `rowStartMs`; what was there before stays. */
export function addToRow(
  before: Row | undefined,
  of: {
    readonly tier: Tier
    readonly rowStartMs: number
    readonly blockStartMs: number
    readonly samples: Float64Array
    readonly isRising: boolean
  },
): Row {
  const { tier, isRising, samples } = of
  const count = tier.rowMs / tier.stepMs
  const hasMaxima = !isRising && tier.stepMs > SLOT_MS
  const values = enough(before?.values, count)
  const maxima = hasMaxima ? enough(before?.maxima ?? before?.values, count) : null
  const slots = tier.stepMs / SLOT_MS
  const first = (of.blockStartMs - of.rowStartMs) / tier.stepMs
  for (let step = 0; step < SLOTS / slots; step += 1) {
    const { value, max } = ofStep(samples, step * slots, slots, isRising)
    values[first + step] = value
    if (maxima !== null) maxima[first + step] = max
  }
  return { values, maxima }
}

function enough(known: Float64Array | undefined, count: number): Float64Array {
  const values = new Float64Array(count).fill(NaN)
  if (known !== undefined) values.set(known.subarray(0, count))
  return values
}

function ofStep(
  samples: Float64Array,
  from: number,
  count: number,
  isRising: boolean,
): { readonly value: number; readonly max: number } {
  let sum = 0
  let told = 0
  let last = NaN
  let max = -Infinity
  for (let at = from; at < from + count; at += 1) {
    const sample = samples[at] ?? NaN
    if (Number.isNaN(sample)) continue
    sum += sample
    told += 1
    last = sample
    if (sample > max) max = sample
  }
  if (told === 0) return { value: NaN, max: NaN }
  return { value: isRising || told === 1 ? last : shortened(sum / told), max }
}

/** Averages have as many digits as they have room for: nobody reads the seventh, and it would cost most of the file. */
const DIGITS = 6

export function shortened(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value
  return Math.abs(value) >= 10 ** DIGITS ? Math.round(value) : Number(value.toPrecision(DIGITS))
}
