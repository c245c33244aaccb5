import type { Actor } from '#cluster/model'

export interface ApiRequest {
  readonly method: string
  /** Behind the prefix, decoded: `['stacks', 'guestbook']`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  readonly body: () => Promise<unknown>
  /** The body as it comes, for whoever does not want it as JSON. */
  readonly raw: AsyncIterable<Buffer>
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
  /** Descriptor of the connection; undefined where Node has none. */
  readonly connectionFd?: number | undefined
  /** Who asks, for the history. */
  readonly actor: () => Actor
}

/** Where a command that runs here writes to. */
export interface FrameOutput {
  /** False: wait for `drained` before writing more. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): boolean
  drained(): Promise<void>
}

export type ApiAnswer =
  | { readonly text: string }
  | { readonly json: unknown; readonly afterwards?: () => void }
  | { readonly bytes: AsyncIterable<Buffer> }
  /** Frames of output, and at last the exit code; null before anything was written: there is no such route. */
  | { readonly frames: (output: FrameOutput) => Promise<number | null> }
  /** JSON values, one a line, as they come. */
  | { readonly lines: AsyncIterable<unknown> }
