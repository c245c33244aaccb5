const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const STEP = 1024
const SECOND = 1000

/** `1.5 GiB`: three digits at most. */
export function bytes(value: number): string {
  let rest = Math.max(0, value)
  let unit = 0
  while (rest >= STEP && unit < UNITS.length - 1) {
    rest /= STEP
    unit += 1
  }
  return `${digits(rest)} ${UNITS[unit] ?? ''}`
}

export function rate(bytesPerS: number | null): string {
  return bytesPerS === null ? '–' : `${bytes(bytesPerS)}/s`
}

function digits(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value))
  return value >= 10 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(2).replace(/\.?0+$/, '')
}

/** `12%` of a part from 0 to 1; small parts keep a digit. */
export function percent(part: number | null): string {
  if (part === null || !Number.isFinite(part)) return '–'
  const value = part * 100
  if (value > 0 && value < 0.005) return '<0.01%'
  return `${value < 10 ? Number(value.toFixed(value < 1 ? 2 : 1)) : Math.round(value)}%`
}

export function count(value: number): string {
  return value.toLocaleString('en')
}

/** `3.2` requests a second and the like. */
export function figure(value: number): string {
  return value >= 100 ? count(Math.round(value)) : digits(value)
}

/** `45 s`, `12 min`, `3 h`, `8 d`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / SECOND))
  if (s < 90) return `${s} s`
  if (s < 90 * 60) return `${Math.round(s / 60)} min`
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h`
  return `${Math.round(s / 86_400)} d`
}

export function clockTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB')
}

export function fullTime(atMs: number): string {
  return new Date(atMs).toLocaleString('en-GB')
}

/** `nginx:1.27` of whatever reference; a bare id is cut. */
export function shortImage(reference: string): string {
  const bare = reference.replace(/^(?:docker\.io\/)?(?:library\/)?/, '').replace(/@sha256:[0-9a-f]+$/, '')
  return /^(?:sha256:)?[0-9a-f]{64}$/.test(bare) ? shortId(bare) : bare
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}
