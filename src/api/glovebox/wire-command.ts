/** First line of `POST /glovebox/v1/command-line/run`: a command as it was typed, and where. */
export interface CommandCall {
  readonly words: readonly string[]
  /** Which files the command line of the one that asks consists of. */
  readonly program: string
  readonly cwd: string
  /** The few variables that the command line reads. */
  readonly env: Readonly<Record<string, string>>
  readonly stdout: CommandStream
  readonly stderr: CommandStream
}

export interface CommandStream {
  readonly isTty: boolean
  /** Of the terminal; 0 where it does not say. */
  readonly columns: number
  readonly rows: number
}

/** The lines that follow: a signal that the caller got, or a new size of its terminal. */
export type CommandMessage =
  | { readonly kind: 'signal'; readonly name: 'SIGINT' | 'SIGTERM' }
  | { readonly kind: 'resized'; readonly stdout: CommandStream; readonly stderr: CommandStream }
