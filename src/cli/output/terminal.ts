/** Where a command speaks: the process's own streams, or buffers in tests. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: Sink
  readonly stderr: Sink
}

export interface Sink {
  /** False: wait for `drained` before writing more. */
  write(text: string | Uint8Array): boolean
  drained?(): Promise<void>
  readonly isTty: boolean
  /** Of the terminal; 80 where there is none, or where it does not say. */
  readonly columns: number
  readonly rows: number
  readonly hasColour: boolean
}

/** NO_COLOR (no-color.org) and a dumb terminal switch colour off. */
export function sinkOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Sink {
  const isTty = stream.isTTY === true
  return {
    write: (text) => stream.write(text),
    drained: () => new Promise((resolve) => stream.once('drain', resolve)),
    isTty,
    get columns() {
      return stream.columns || 80
    },
    get rows() {
      return stream.rows || 24
    },
    hasColour: isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
  }
}
