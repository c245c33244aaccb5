/** A small fast generator (mulberry32): a run is told again by its seed. */
export interface Dice {
  /** A whole number below `bound`. */
  below(bound: number): number
  pick<T>(items: readonly T[]): T
}

export function dice(seed: number): Dice {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (bound: number) => next() % Math.max(1, bound)
  return {
    below,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
  }
}

/** Bytes at which parsers turn. */
const EDGES = [0x00, 0x01, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x24, 0x2e, 0x2f, 0x30, 0x39, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xff]
const NUMBERS = ['0', '-1', '1e9', '9'.repeat(30), '2147483648', '4294967296', '9007199254740993', '0x10', '007']
const MAX_INPUT_BYTES = 64 * 1024

/** One to six changes: bytes, ranges, words of the format, numbers, pieces of another input. */
export function mutated(roll: Dice, input: Buffer, others: readonly Buffer[], words: readonly string[]): Buffer {
  let bytes = input
  for (let left = 1 + roll.below(6); left > 0; left -= 1) bytes = change(roll, bytes, others, words)
  return bytes.subarray(0, MAX_INPUT_BYTES)
}

function change(roll: Dice, bytes: Buffer, others: readonly Buffer[], words: readonly string[]): Buffer {
  const at = roll.below(bytes.length + 1)
  const length = roll.below(roll.below(4) === 0 ? bytes.length + 1 : 16)
  const replaced = (from: number, to: number, by: Buffer) => Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)])
  switch (roll.below(10)) {
    case 0:
      return replaced(at, at + 1, Buffer.from([roll.below(256)]))
    case 1:
      return replaced(at, at + 1, Buffer.from([roll.pick(EDGES)]))
    case 2:
      return replaced(at, at, Buffer.from([roll.pick(EDGES)]))
    case 3:
      return replaced(at, at + length, Buffer.alloc(0))
    case 4:
      return replaced(at, at, bytes.subarray(at, at + length))
    case 5:
      return bytes.subarray(0, at)
    case 6:
      return replaced(
        at,
        at + (roll.below(2) === 0 ? 0 : length),
        Buffer.from(roll.pick(words.length === 0 ? NUMBERS : words), 'latin1'),
      )
    case 7:
      return withNumber(roll, bytes)
    case 8: {
      const other = roll.pick(others)
      const from = roll.below(other.length + 1)
      return replaced(at, at + length, other.subarray(from, from + roll.below(other.length + 1)))
    }
    default:
      return flipped(bytes, roll)
  }
}

function flipped(bytes: Buffer, roll: Dice): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) {
    const at = roll.below(copy.length)
    copy[at] = (copy[at] ?? 0) ^ (1 << roll.below(8))
  }
  return copy
}

/** Another number in the place of one that is there. */
function withNumber(roll: Dice, bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const found = [...text.matchAll(/\d+/g)]
  if (found.length === 0) return bytes
  const one = roll.pick(found)
  const by = roll.below(2) === 0 ? roll.pick(NUMBERS) : String(Number(one[0]) + roll.below(3) - 1)
  return Buffer.from(text.slice(0, one.index) + by + text.slice(one.index + one[0].length), 'latin1')
}
