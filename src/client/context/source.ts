import type { WireContextEntry } from '#api/glovebox'

/** What a build is made from, wherever it is: a directory, an archive, a Dockerfile alone. Dispose of it after the build. */
export interface BuildSource extends AsyncDisposable {
  /** Names it to the daemon, which keeps under this name what it was sent. */
  readonly key: string
  /** Set: the daemon fetches it, and there is nothing to list. */
  readonly address?: string
  readonly dockerfile: SourceDockerfile
  /** Looks at everything anew. */
  list(): Promise<readonly WireContextEntry[]>
  /** The content of a file that was listed: exactly as many bytes as the list said. Errors: `client.context_changed`, `client.bad_context`. */
  read(entry: WireContextEntry): Iterable<Buffer> | AsyncIterable<Buffer>
}

export interface SourceDockerfile {
  /** Where it lies in the context, for the daemon. */
  readonly path: string
  /** As the user calls it. */
  readonly shown: string
  /** Empty where it lies at an address. */
  readonly text: string
}
