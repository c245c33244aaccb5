/** Sizes, durations and times worded as the docker CLI words them, so that scripts and eyes find what they know. */

/** `About a minute`, `3 hours`, `Less than a second`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  const minutes = Math.trunc(seconds / 60)
  const hours = Math.round(ms / 3_600_000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`
  return `${Math.trunc(hours / 24 / 365)} years`
}

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'] as const
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'] as const

/** `2.13MB`: powers of 1000. */
export function decimalSize(bytes: number, digits = 3): string {
  return size(bytes, 1000, DECIMAL, digits)
}

/** `23.54GiB`: powers of 1024. */
export function binarySize(bytes: number): string {
  return size(bytes, 1024, BINARY, 4)
}

function size(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit += 1
  }
  return `${significant(value, digits)}${units[unit] ?? ''}`
}

/** Go's %.Ng. */
function significant(value: number, digits: number): string {
  const [number = '', exponent] = value.toPrecision(digits).split('e')
  const short = number.includes('.') ? number.replace(/\.?0+$/, '') : number
  return exponent === undefined ? short : `${short}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`
}

const two = (value: number) => String(value).padStart(2, '0')

/** `2026-01-31 14:05:09 +0100 +0100`: how Go prints a local time; the zone's name is known for UTC only. `fraction` is digits of a second. */
export function goTime(ms: number, fraction = ''): string {
  const date = new Date(ms)
  const { text, offset } = parts(date)
  const point = fraction.replace(/0+$/, '')
  return `${text(' ')}${point === '' ? '' : `.${point}`} ${offset.replace(':', '')} ${offset === '+00:00' ? 'UTC' : offset.replace(':', '')}`
}

/** `2026-01-31T14:05:09+01:00`, or with Z for UTC. */
export function rfc3339(ms: number, fraction = ''): string {
  const { text, offset } = parts(new Date(ms))
  return `${text('T')}${fraction === '' ? '' : `.${fraction}`}${offset === '+00:00' ? 'Z' : offset}`
}

function parts(date: Date): { readonly text: (between: string) => string; readonly offset: string } {
  const minutes = -date.getTimezoneOffset()
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return {
    offset,
    text: (between) => `${day}${between}${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  }
}
