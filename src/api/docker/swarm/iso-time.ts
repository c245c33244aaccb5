/** RFC 3339, as every time of the API. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
