const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** `0.4 s`, `12 s`, `5 min`, `3 h`, `2 days`. */
export function span(ms: number): string {
  const past = Math.max(0, ms)
  if (past < 10 * SECOND_MS) return `${Number((past / SECOND_MS).toFixed(1))} s`
  if (past < 2 * MINUTE_MS) return `${Math.round(past / SECOND_MS)} s`
  if (past < 2 * HOUR_MS) return `${Math.round(past / MINUTE_MS)} min`
  return past < 2 * DAY_MS ? `${Math.round(past / HOUR_MS)} h` : `${Math.round(past / DAY_MS)} days`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** As limits are written: `16 MiB`. */
export function binary(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number(value.toFixed(unit === 0 || value >= 100 ? 0 : 1))} ${UNITS[unit] ?? 'B'}`
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], most = 3): string {
  if (names.length > most) return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

/** Longer texts of others hide what stands beside them. */
const MAX_QUOTE = 300

/** Somebody else's text as one line. */
export function quoted(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line
}

/** As a sentence ends. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
