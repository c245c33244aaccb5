import { byteReader, byteWriter, type ByteReader, type ByteWriter } from './bytes.ts'
import { historyError } from './errors.ts'

/*
 * Values of one series at even distances, in little room. NaN is a gap. Each value is told as its distance from a guess: the one before (a gauge), or the one before and the last step
 * again (a counter that grows evenly). Most metrics are whole numbers of a decimal unit (bytes, nanoseconds as seconds), so the distances are whole numbers of that unit; a series that has other
 * numbers too tells them as they are.
 *
 *   form      varint: decimals * 2 + (1: the last step is guessed again)
 *   count     varint: values
 *   tokens    varint: payload * 4 + kind, of the kinds below
 */
const AS_GUESSED = 0
const GAPS = 1
const DISTANCE = 2
const PLAIN = 3

/** Units that numbers come in: whole ones, thousandths, millionths and billionths. */
const DECIMALS = [0, 3, 6, 9] as const
/** A distance and its sign and the kind have to fit into 53 bits. */
const MAX_WHOLE = 2 ** 48

/** Values that a block may have: what is damaged must not make room for more. */
const MAX_VALUES = 100_000

/** `isRising`: of counters. Any numbers come back as they were, but every NaN is the same. */
export function encodeValues(values: Float64Array, isRising: boolean): Uint8Array {
  const writer = byteWriter()
  const decimals = decimalsOf(values)
  const scale = 10 ** decimals
  writer.varint(decimals * 2 + (isRising ? 1 : 0))
  writer.varint(values.length)
  const tokens = tokenWriter(writer)
  const guess = guesser(isRising)
  for (const value of values) {
    if (Number.isNaN(value)) {
      tokens.gap()
      continue
    }
    const whole = wholeOf(value, decimals, scale)
    if (whole === undefined) tokens.plain(value)
    else tokens.distance(whole - guess.next())
    guess.learn(whole ?? 0)
  }
  tokens.end()
  return writer.done()
}

/** Errors: `history.damaged`. */
export function decodeValues(bytes: Uint8Array): Float64Array {
  return readValues(byteReader(bytes))
}

export function readValues(reader: ByteReader): Float64Array {
  const form = reader.varint()
  const count = reader.varint()
  const decimals = DECIMALS.find((known) => known === Math.floor(form / 2))
  if (decimals === undefined || count > MAX_VALUES)
    throw historyError('history.damaged', `a block of the history has the form ${form} and ${count} values`)
  const scale = 10 ** decimals
  const values = new Float64Array(count).fill(NaN)
  const guess = guesser(form % 2 === 1)
  for (let at = 0; at < count;) {
    const token = reader.varint()
    const payload = Math.floor(token / 4)
    const kind = token % 4
    if (kind === GAPS || kind === AS_GUESSED) {
      if (payload === 0 || payload > count - at)
        throw historyError('history.damaged', `a run of ${payload} values at ${at} of ${count}`)
      if (kind === AS_GUESSED)
        for (let index = 0; index < payload; index += 1) {
          const whole = guess.next()
          guess.learn(whole)
          values[at + index] = whole / scale
        }
      at += payload
      continue
    }
    if (kind === PLAIN) {
      values[at] = reader.float()
      guess.learn(0)
    } else {
      const whole = guess.next() + unsigned(payload)
      guess.learn(whole)
      values[at] = whole / scale
    }
    at += 1
  }
  return values
}

/** The first unit in which all of them are whole, or that in which most are. */
function decimalsOf(values: Float64Array): number {
  let best = 0
  let most = -1
  for (const decimals of DECIMALS) {
    const scale = 10 ** decimals
    let whole = 0
    let told = 0
    for (const value of values) {
      if (Number.isNaN(value)) continue
      told += 1
      if (wholeOf(value, decimals, scale) !== undefined) whole += 1
    }
    if (whole === told) return decimals
    if (whole > most) {
      most = whole
      best = decimals
    }
  }
  return best
}

function wholeOf(value: number, decimals: number, scale: number): number | undefined {
  if (Object.is(value, -0)) return undefined
  if (decimals === 0) return Number.isInteger(value) && Math.abs(value) < MAX_WHOLE ? value : undefined
  const whole = Math.round(value * scale)
  return Math.abs(whole) < MAX_WHOLE && whole / scale === value && !Object.is(whole, -0) ? whole : undefined
}

/** Guesses stay where distances from them fit. */
function guesser(isRising: boolean) {
  let last = 0
  let step = 0
  return {
    next: () => (isRising ? Math.max(-MAX_WHOLE, Math.min(MAX_WHOLE, last + step)) : last),
    learn: (value: number) => {
      step = value - last
      last = value
    },
  }
}

function tokenWriter(writer: ByteWriter) {
  let run = 0
  let runKind = AS_GUESSED
  const end = () => {
    if (run > 0) writer.varint(run * 4 + runKind)
    run = 0
  }
  const oneMore = (kind: number) => {
    if (kind !== runKind) end()
    runKind = kind
    run += 1
  }
  return {
    gap: () => oneMore(GAPS),
    distance: (by: number) => {
      if (by === 0) return oneMore(AS_GUESSED)
      end()
      writer.varint(signed(by) * 4 + DISTANCE)
    },
    plain: (value: number) => {
      end()
      writer.varint(PLAIN)
      writer.float(value)
    },
    end,
  }
}

/** Small numbers of either sign as small numbers. */
function signed(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}

function unsigned(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}
