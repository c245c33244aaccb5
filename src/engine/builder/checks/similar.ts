/** Longer names are told apart by the eye as little as by this. */
const MAX_NAME_LENGTH = 64
/** Of all names that are known, so many are compared. */
const MAX_NAMES = 1000

/** ` (did you mean X?)`, or nothing: the nearest name, when at most a third of it is written otherwise, or its case. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: string | undefined
  let least = Math.floor(Math.min(name.length, MAX_NAME_LENGTH) / 3) + 1
  let left = MAX_NAMES
  for (const one of known) {
    if (left-- === 0 || name.length > MAX_NAME_LENGTH) break
    if (one === name || one.length > MAX_NAME_LENGTH) continue
    const far = one.toLowerCase() === name.toLowerCase() ? 0 : distance(name, one, least)
    if (far >= least) continue
    best = one
    least = far
  }
  return best === undefined ? '' : ` (did you mean ${best}?)`
}

/** Characters to insert, remove or change (Levenshtein); `limit` when there are as many or more. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return Math.min(row[b.length] ?? limit, limit)
}
