/** Go's zero time, which its clients take for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

export function timeOrZero(text: string): string {
  return text === '' ? ZERO_TIME : text
}

/** Whole seconds since 1970 of an RFC 3339 time; 0 when there is none. */
export function unixSeconds(text: string): number {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000)
}

/** A duration as `docker ps` words it: rounded generously. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(seconds / 3600)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  const days = Math.floor(hours / 24)
  if (days < 14) return `${days} days`
  if (days < 60) return `${Math.floor(days / 7)} weeks`
  if (days < 730) return `${Math.floor(days / 30)} months`
  return `${Math.floor(days / 365)} years`
}
