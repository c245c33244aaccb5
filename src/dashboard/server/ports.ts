import type { IncomingMessage } from 'node:http'

import type { GloveboxApi } from '#api/glovebox'
import type { HttpApi } from '#api/http'
import type { Clock, Log, Random, RecordStore } from '#base'
import type { Operations } from '#cluster/operations'

import type { LiveSource } from './live/source.ts'
import type { PasswordCost } from './passwords.ts'

/** What the dashboard needs of the daemon. */
export interface DashboardNeeds {
  readonly instance: string
  readonly hostname: string
  readonly version: string
  /** Where the build has put the page. */
  readonly pageDirectory: string
  readonly records: RecordStore
  readonly passwordCost: PasswordCost
  /** The two APIs, behind the doors that the page has. */
  readonly docker: Pick<HttpApi, 'handleRequest'>
  readonly ours: Pick<GloveboxApi, 'handle'>
  /** Told before a request goes on to one of them: who asks. */
  readonly vouch: (request: IncomingMessage, user: string) => void
  /** Rollouts and scaling, in the name of a user. */
  readonly operations: Pick<Operations, 'perform'>
  readonly live: LiveSource
  readonly terminals: TerminalPort
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Shells in containers. */
export interface TerminalPort {
  /** Errors: those of an exec. */
  open(container: string, size: TerminalSize): Promise<OpenTerminal>
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface OpenTerminal {
  /** Raw bytes; ends when the shell does. */
  readonly output: AsyncIterable<Buffer>
  /** False: wait for `drained` before writing more. */
  write(bytes: Buffer): boolean
  drained(): Promise<void>
  resize(size: TerminalSize): Promise<void>
  /** null: not known. */
  exitCode(): number | null
  /** Hangs up, as a terminal does whose window is closed. Idempotent. */
  end(): void
}
