import type { Stream } from './create-request.ts'

/** How our terminal joins a container. */
export interface Join {
  readonly id: string
  readonly isInteractive: boolean
  readonly hasTty: boolean
  /** All of them when none is named. */
  readonly streams: readonly Stream[]
  readonly proxiesSignals: boolean
  /** Empty: there are none. */
  readonly detachKeys: string
}

export function joinQuery(join: Join) {
  const isWanted = (stream: Stream) => join.streams.length === 0 || join.streams.includes(stream)
  return {
    stream: true,
    // The daemon watches too, for its own default unless told otherwise.
    detachKeys: join.detachKeys,
    stdout: isWanted('stdout') || undefined,
    stderr: isWanted('stderr') || undefined,
    stdin: (join.isInteractive && isWanted('stdin')) || undefined,
  }
}
