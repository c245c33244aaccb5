import { deflateRawSync, inflateRawSync } from 'node:zlib'

import { byteReader, byteWriter } from './bytes.ts'
import { historyError } from './errors.ts'
import { SLOTS, SLOT_MS } from './tiers.ts'

/** The samples that have not got to their place in the file yet, one column for each time they were taken. */
export interface Block {
  readonly startMs: number
  /** Ids of series in the order in which they came: the place of each in the columns. */
  readonly ids: number[]
  readonly places: Map<number, number>
  /** By slot. Those of series that came later are shorter at their end. */
  readonly columns: (Float64Array | undefined)[]
}

export function newBlock(startMs: number): Block {
  return { startMs, ids: [], places: new Map(), columns: [] }
}

export function placeOf(block: Block, id: number): number {
  const known = block.places.get(id)
  if (known !== undefined) return known
  block.places.set(id, block.ids.length)
  return block.ids.push(id) - 1
}

/** All samples of one series; gaps are NaN. */
export function samplesOf(block: Block, id: number): Float64Array {
  const samples = new Float64Array(SLOTS).fill(NaN)
  const place = block.places.get(id)
  if (place !== undefined) block.columns.forEach((column, slot) => (samples[slot] = column?.[place] ?? NaN))
  return samples
}

export function slotOf(block: Block, atMs: number): number {
  return Math.floor((atMs - block.startMs) / SLOT_MS)
}

/** Up to where a block is in the journal. */
export interface Written {
  readonly slots: number
  readonly ids: number
}

export const NOTHING_WRITTEN: Written = { slots: 0, ids: 0 }

/**
 * What came since, for the journal: new ids, and each new column as it differs from the one before, packed. Deflate makes little of the zeros in between; it takes 1 ms for the minute
 * of 3,000 series.
 */
export function encodeJournal(block: Block, since: Written): Uint8Array {
  const ids = block.ids.slice(since.ids)
  const writer = byteWriter()
  writer.varint(since.slots)
  writer.varint(ids.length)
  for (const id of ids) writer.varint(id)
  for (let slot = since.slots; slot < block.columns.length; slot += 1) {
    const column = block.columns[slot]
    writer.varint(column === undefined ? 0 : column.length + 1)
    if (column !== undefined) writer.bytes(xored(column, before(block, slot)))
  }
  return deflateRawSync(writer.done(), { level: 1 })
}

/** Bytes of one entry: a minute of the most series that there may be, and what a daemon writes that was held up for an hour. */
const MAX_ENTRY_BYTES = 512 * 1024 * 1024

/** Adds an entry to the block that those before it made. Errors: `history.damaged`. */
export function replayJournal(block: Block, entry: Uint8Array): void {
  const reader = byteReader(unpacked(entry))
  let slot = reader.varint()
  const ids = reader.varint()
  for (let index = 0; index < ids; index += 1) placeOf(block, reader.varint())
  for (; !reader.isAtEnd(); slot += 1) {
    const length = reader.varint()
    if (slot >= SLOTS || length > block.ids.length + 1)
      throw historyError('history.damaged', `the journal of the history has a column of ${length} values for slot ${slot}`)
    if (length === 0) continue
    const bytes = reader.bytes((length - 1) * 8)
    const column = new Float64Array(length - 1)
    new Uint8Array(column.buffer).set(bytes)
    block.columns[slot] = new Float64Array(xored(column, before(block, slot)).slice().buffer)
  }
}

function unpacked(entry: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(entry, { maxOutputLength: MAX_ENTRY_BYTES })
  } catch (error) {
    throw historyError('history.damaged', 'an entry of the journal of the history cannot be unpacked', { cause: error })
  }
}

function before(block: Block, slot: number): Float64Array | undefined {
  for (let at = slot - 1; at >= 0; at -= 1) if (block.columns[at] !== undefined) return block.columns[at]
  return undefined
}

function xored(column: Float64Array, other: Float64Array | undefined): Uint8Array {
  const words = new Uint32Array(column.slice().buffer)
  const others = other === undefined ? undefined : new Uint32Array(other.buffer, other.byteOffset, other.length * 2)
  if (others !== undefined)
    for (let at = 0; at < Math.min(words.length, others.length); at += 1) words[at] = (words[at] ?? 0) ^ (others[at] ?? 0)
  return new Uint8Array(words.buffer)
}
