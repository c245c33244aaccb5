export interface LogEntry {
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  /** With its line end, if it had one. */
  readonly line: Buffer
  /** What the log's options write with each line; null: nothing. */
  readonly attributes: Readonly<Record<string, string>> | null
}

export interface LogReadOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow: boolean
  /** Nanoseconds since 1970; null: no bound. */
  readonly sinceNs: bigint | null
  readonly untilNs: bigint | null
  /** Number of lines from the end; null: all. */
  readonly tail: number | null
  readonly signal?: AbortSignal
}

/** Where a log is and whether more is coming. */
export interface LogSource {
  /** The newest file; older ones carry `.1`, `.2`, … */
  readonly path: string
  /** True while a process may still write. Asked each time the end is reached. */
  readonly isLive: () => boolean
}
