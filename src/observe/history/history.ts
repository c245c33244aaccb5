import { setImmediate as nextTurn } from 'node:timers/promises'

import { messageOf, type Clock, type Log } from '#base'
import type { MetricFamily } from '#observe/metrics'

import { encodeJournal, newBlock, NOTHING_WRITTEN, placeOf, replayJournal, slotOf, type Block, type Written } from './block.ts'
import { openHistoryFile, type HistoryFile } from './history-file.ts'
import type { HistoryWriter, MetricsHistory } from './port.ts'
import { answerRange } from './range.ts'
import { keptMs, nextShare, sealSeries } from './seal.ts'
import { seriesIndex, type SeriesIndex } from './series-index.ts'
import { blockStart, SLOT_MS, SLOTS, TIERS } from './tiers.ts'

export interface HistoryOptions {
  /** Of the file. */
  readonly path: string
  readonly maxBytes: number
  readonly clock: Clock
  readonly log: Log
}

export interface History extends MetricsHistory, HistoryWriter, AsyncDisposable {}

/** Columns between two entries of the journal: what a daemon that is killed loses at most. */
const JOURNAL_EVERY_SLOTS = 6

/** Series that are put to their places before others get a turn: some milliseconds. */
const SEALED_AT_ONCE = 25

/** Pages given back to the disk after each block: 4 MiB. */
const GIVEN_BACK_PAGES = 1024

/** Opens or creates the file and takes up what was not at its place yet. */
export function openHistory({ path, maxBytes, clock, log }: HistoryOptions): History {
  const file = openHistoryFile(path, log)
  const { blocks, usedIds } = restoreBlocks(file, clock.nowMs(), log)
  const index = seriesIndex(file.series(), (id) => file.dropSeries(id), usedIds)
  let current = blocks.pop() ?? newBlock(blockStart(clock.nowMs()))
  let written: Written = { slots: current.columns.length, ids: current.ids.length }
  const sealing: Block[] = blocks
  let share = 1
  let samples = 0
  let samplesBytes = 0
  let isClosed = false
  let sealer: Promise<void> | undefined

  const flush = () => {
    if (written.slots === current.columns.length) return
    try {
      const entry = encodeJournal(current, written)
      index.writeNew((rows) => file.addToJournal(current.startMs, entry, rows))
      samplesBytes += entry.length
      written = { slots: current.columns.length, ids: current.ids.length }
    } catch (error) {
      log.warn('the history of metrics cannot be written', { error: messageOf(error) })
    }
  }

  const seal = async () => {
    for (let block = sealing[0]; block !== undefined && !isClosed; block = sealing[0]) {
      await sealBlock({ file, index, isClosed: () => isClosed }, block)
      if (isClosed) return
      file.dropJournal(block.startMs)
      sealing.shift()
      share = nextShare(share, file.usedBytes(), maxBytes)
      await dropOld({ file, index, isClosed: () => isClosed }, clock.nowMs(), share)
      if (!isClosed) file.giveBack(GIVEN_BACK_PAGES)
    }
  }
  const startSealing = () => {
    sealer ??= seal()
      .catch((error: unknown) => log.warn('the history of metrics could not be put in order', { error: messageOf(error) }))
      .finally(() => {
        sealer = undefined
      })
  }
  if (sealing.length > 0) startSealing()

  /** False: this time was there already. */
  const openSlot = (atMs: number): boolean => {
    const startMs = blockStart(atMs)
    if (startMs < current.startMs) {
      // The clock was set back by hours: what it said before was wrong.
      log.warn('the clock went back: the history of metrics goes on from there', { to: new Date(atMs).toISOString() })
      file.dropJournal(current.startMs)
      current = newBlock(startMs)
      written = NOTHING_WRITTEN
    } else if (startMs > current.startMs) {
      flush()
      if (current.columns.length > 0) sealing.push(current)
      current = newBlock(startMs)
      written = NOTHING_WRITTEN
      startSealing()
    }
    return slotOf(current, atMs) >= current.columns.length
  }

  return {
    append: (atMs, families) => {
      if (isClosed || !openSlot(atMs)) return
      const column = columnOf(families, current, index, atMs)
      samples += column.length
      const slot = slotOf(current, atMs)
      current.columns[slot] = column
      if (slot + 1 - written.slots >= JOURNAL_EVERY_SLOTS || slot === SLOTS - 1) flush()
    },
    facts: () => ({
      series: index.all().length,
      refused: index.refused(),
      usedBytes: file.usedBytes(),
      maxBytes,
      samples,
      samplesBytes,
    }),
    range: async (query) =>
      await answerRange(query, { file, index, blocks: () => [...sealing, current], nowMs: clock.nowMs(), share, turn: nextTurn }),
    series: (selector) => index.select(selector).map(({ name, labels, lastMs }) => ({ name, labels, lastMs })),
    [Symbol.asyncDispose]: async () => {
      flush()
      isClosed = true
      await sealer
      file[Symbol.dispose]()
    },
  }
}

/** Values of all that is kept, at their places in the block. */
function columnOf(families: readonly MetricFamily[], block: Block, index: SeriesIndex, atMs: number): Float64Array {
  const values: number[] = []
  for (const family of families) {
    if (family.isKept !== true) continue
    const isRising = family.type === 'counter' || family.type === 'histogram'
    for (const { suffix, labels, value } of family.samples) {
      const name = suffix === '' ? family.name : family.name + suffix
      const series = index.find(name, labels, isRising, atMs)
      if (series === undefined) continue
      series.lastMs = atMs
      values[placeOf(block, series.id)] = value
    }
  }
  const column = new Float64Array(block.ids.length).fill(NaN)
  values.forEach((value, place) => (column[place] = value))
  return column
}

interface Sealing {
  readonly file: HistoryFile
  readonly index: SeriesIndex
  readonly isClosed: () => boolean
}

async function sealBlock({ file, index, isClosed }: Sealing, block: Block): Promise<void> {
  for (let at = 0; at < block.ids.length && !isClosed(); at += SEALED_AT_ONCE) {
    file.atomically(() => {
      for (const id of block.ids.slice(at, at + SEALED_AT_ONCE)) {
        const series = index.get(id)
        if (series === undefined) continue
        sealSeries(file, block, id, series.isRising)
        file.touch(id, series.lastMs)
      }
    })
    await nextTurn()
  }
}

async function dropOld({ file, index, isClosed }: Sealing, nowMs: number, share: number): Promise<void> {
  const longestMs = keptMs(TIERS[2], share)
  const all = index.all()
  for (let at = 0; at < all.length && !isClosed(); at += SEALED_AT_ONCE) {
    file.atomically(() => {
      for (const { id, lastMs } of all.slice(at, at + SEALED_AT_ONCE)) {
        if (lastMs < nowMs - longestMs) {
          index.drop(id)
          file.dropSeries(id)
        } else for (const tier of TIERS) file.dropRows(tier, id, nowMs - keptMs(tier, share))
      }
    })
    await nextTurn()
  }
}

/** Blocks that the journal has, the oldest first. What it cannot tell of is lost, and said. */
function restoreBlocks(file: HistoryFile, nowMs: number, log: Log): { readonly blocks: Block[]; readonly usedIds: number } {
  const blocks = new Map<number, Block>()
  for (const { blockMs, entry } of file.journal()) {
    if (blockMs > nowMs + SLOT_MS) {
      file.dropJournal(blockMs)
      continue
    }
    const block = blocks.get(blockMs) ?? newBlock(blockMs)
    blocks.set(blockMs, block)
    try {
      replayJournal(block, entry)
    } catch (error) {
      log.warn('a part of the history of metrics is lost', { error: messageOf(error) })
    }
  }
  const restored = [...blocks.values()].sort((a, b) => a.startMs - b.startMs)
  return { blocks: restored, usedIds: restored.reduce((most, { ids }) => ids.reduce((a, b) => Math.max(a, b), most), 0) }
}
