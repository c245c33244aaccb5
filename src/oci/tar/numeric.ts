const SPACE = 0x20
const ZERO = 0x30

/** Digits, then only spaces and NULs; leading spaces allowed; an empty field is 0. Returns NaN when the field is none of that. */
export function parseOctal(buffer: Buffer, start: number, length: number): number {
  const end = start + length
  let at = start
  while (at < end && buffer[at] === SPACE) at += 1
  let value = 0
  for (; at < end; at += 1) {
    const digit = (buffer[at] ?? 0) - ZERO
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  for (; at < end; at += 1) {
    const byte = buffer[at]
    if (byte !== SPACE && byte !== 0) return Number.NaN
  }
  return value
}

/** NaN when malformed or outside the safe integers. May be negative (base-256 only). */
export function parseNumeric(buffer: Buffer, start: number, length: number): number {
  const first = buffer[start] ?? 0
  if ((first & 0x80) === 0) return parseOctal(buffer, start, length)
  return parseBase256(buffer, start, length, first)
}

/** Two's complement, big endian; the top bit of the first byte only marks the form, so the sign is the bit below. */
function parseBase256(buffer: Buffer, start: number, length: number, first: number): number {
  const isNegative = (first & 0x40) !== 0
  let value = isNegative ? -1n : 0n
  value = (value << 7n) | BigInt(first & 0x7f)
  for (let at = start + 1; at < start + length; at += 1) value = (value << 8n) | BigInt(buffer[at] ?? 0)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : Number.NaN
}

/** The checksum counts its own field as spaces (POSIX). Only the unsigned sum counts: signed sums come from programs long dead. */
export function headerChecksum(buffer: Buffer, start: number): number {
  let sum = 8 * SPACE
  const field = start + 148
  const afterField = start + 156
  const end = start + 512
  for (let at = start; at < field; at += 1) sum += buffer[at] as number
  for (let at = afterField; at < end; at += 1) sum += buffer[at] as number
  return sum
}
