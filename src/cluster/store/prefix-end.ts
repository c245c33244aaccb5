const LAST_CODE_POINT = 0x10_ff_ff
const FIRST_SURROGATE = 0xd8_00
const LAST_SURROGATE = 0xdf_ff

/** The first string after all that begin with `prefix`, in the order of UTF-8 bytes; null: there is none. */
export function prefixEnd(prefix: string): string | null {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_CODE_POINT) continue
    const next = last + 1 === FIRST_SURROGATE ? LAST_SURROGATE + 1 : last + 1
    return String.fromCodePoint(...points, next)
  }
  return null
}
