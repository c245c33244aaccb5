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
}

export type ApiAnswer =
  | { readonly text: string }
  | { readonly json: unknown; readonly afterwards?: () => void }
  | { readonly bytes: AsyncIterable<Buffer> }
  /** JSON values, one a line, as they come. */
  | { readonly lines: AsyncIterable<unknown> }
