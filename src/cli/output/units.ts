const STEPS = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [7, 'day'],
  [4.35, 'week'],
  [12, 'month'],
] as const

/** `3 minutes`, `2 weeks`: the largest unit of which there is more than one. */
export function roughDuration(ms: number): string {
  let value = Math.max(0, ms) / 1000
  if (value < 1) return 'less than a second'
  for (const [size, unit] of STEPS) {
    // Two of the larger unit before it is used: 90 minutes say more than 1 hour.
    if (value < size * 2) return counted(Math.floor(value), unit)
    value /= size
  }
  return counted(Math.floor(value), 'year')
}

/** `0.4 s`, `12 s`, `2 min 5 s`. */
export function tookText(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}

/** Binary units, as limits are written: `512 MiB`. */
export function binaryBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${Number(value.toFixed(digits))} ${units[unit] ?? ''}`
}

/** `2026-01-31 14:05:09` in local time. */
export function localTime(ms: number): string {
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
