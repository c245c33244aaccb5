/** The time that an image or a record carries, in RFC 3339: the epoch's, when the build has one. */
export function isoTime(epochS: number | undefined, nowMs: number): string {
  return new Date(epochS === undefined ? nowMs : epochS * 1000).toISOString()
}
