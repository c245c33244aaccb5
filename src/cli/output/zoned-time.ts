/** `2026-01-31 14:05 Europe/Berlin`; in UTC where the zone is none that is known. */
export function zonedTime(ms: number, zone: string): string {
  const format = formatOf(zone) ?? formatOf('UTC')
  const parts = new Map(format?.formatToParts(ms).map(({ type, value }) => [type, value]))
  const of = (type: string) => parts.get(type as never) ?? ''
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')} ${format?.resolvedOptions().timeZone ?? zone}`
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const two = '2-digit' as const
  const shape = { year: 'numeric', month: two, day: two, hour: two, minute: two, hourCycle: 'h23' } as const
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', { ...shape, timeZone })
  } catch {
    return undefined
  }
}
