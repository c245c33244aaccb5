/** Something that happened, as `docker events` tells it. */
export interface EngineEvent {
  readonly type:
    | 'container'
    | 'image'
    | 'network'
    | 'volume'
    | 'daemon'
    | 'builder'
    | 'service'
    | 'node'
    | 'secret'
    | 'config'
    | 'environment'
  /** `create`, `start`, `die`, `exec_start: sh`, ... */
  readonly action: string
  readonly actorId: string
  readonly attributes: Readonly<Record<string, string>>
  readonly timeNs: bigint
}

export interface Events {
  publish(event: Omit<EngineEvent, 'timeNs'>): void
  /** Past events since `sinceNs` (bounded history) and then live ones, without a gap, until `untilNs` or the signal. A reader that is too slow is cut off with `events.too_slow`. */
  subscribe(options: {
    readonly sinceNs: bigint | null
    readonly untilNs: bigint | null
    readonly signal: AbortSignal
  }): AsyncIterable<EngineEvent>
  /** In-process listeners, called in order right when it happens; must not throw. */
  listen(listener: (event: EngineEvent) => void): Disposable
}
