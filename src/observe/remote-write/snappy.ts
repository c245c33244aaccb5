/*
 * The block format of Snappy (format_description.txt of its project): the length of what was packed as a varint, then elements: literals, and copies of what stood before. Names and labels are most of a
 * write request and are said over and over, so it gets to about a tenth.
 */

/** Copies reach back this far at most, and a table of places is made anew for each block. */
const BLOCK_BYTES = 65_536
const HASH_BITS = 14
const LEAST_MATCH = 4
/** A copy with an offset of two bytes carries 1 to 64 bytes. */
const MOST_COPIED = 64

export function packSnappy(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(mostPacked(input.length))
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const table = new Uint16Array(1 << HASH_BITS)
  let at = putLength(output, input.length)
  for (let block = 0; block < input.length; block += BLOCK_BYTES) {
    at = packBlock({ input, view, output, table }, at, block, Math.min(input.length, block + BLOCK_BYTES))
  }
  return output.subarray(0, at)
}

/** Literals cost at most one byte more for each block, and what is found never makes it longer. */
function mostPacked(bytes: number): number {
  return 32 + bytes + Math.ceil(bytes / 6)
}

function putLength(output: Uint8Array, length: number): number {
  let at = 0
  let rest = length
  while (rest > 0x7f) {
    output[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  output[at++] = rest
  return at
}

interface Packing {
  readonly input: Uint8Array
  readonly view: DataView
  readonly output: Uint8Array
  /** By the hash of four bytes where they stood last, counted from the start of the block. */
  readonly table: Uint16Array
}

function packBlock(of: Packing, from: number, start: number, end: number): number {
  const { view, table } = of
  table.fill(0)
  let at = from
  let literal = start
  let here = start + 1
  while (here + LEAST_MATCH <= end) {
    const word = view.getUint32(here, true)
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS)
    const before = start + (table[hash] ?? 0)
    table[hash] = here - start
    if (before >= here || view.getUint32(before, true) !== word) {
      // What has no repetitions is passed over faster the longer it has none.
      here += 1 + ((here - literal) >> 5)
      continue
    }
    at = putLiteral(of, at, literal, here)
    const length = matching(of.input, before, here, end)
    at = putCopies(of.output, at, here - before, length)
    here += length
    literal = here
  }
  return putLiteral(of, at, literal, end)
}

function matching(input: Uint8Array, before: number, here: number, end: number): number {
  let length = LEAST_MATCH
  while (here + length < end && input[before + length] === input[here + length]) length += 1
  return length
}

function putLiteral({ input, output }: Packing, from: number, start: number, end: number): number {
  const length = end - start
  if (length === 0) return from
  let at = from
  const least = length - 1
  if (least < 60) output[at++] = least << 2
  else if (least < 256) {
    output[at++] = 60 << 2
    output[at++] = least
  } else {
    output[at++] = 61 << 2
    output[at++] = least & 0xff
    output[at++] = least >> 8
  }
  output.set(input.subarray(start, end), at)
  return at + length
}

function putCopies(output: Uint8Array, from: number, offset: number, length: number): number {
  let at = from
  for (let left = length; left > 0;) {
    const count = Math.min(left, MOST_COPIED)
    output[at++] = ((count - 1) << 2) | 2
    output[at++] = offset & 0xff
    output[at++] = offset >> 8
    left -= count
  }
  return at
}
