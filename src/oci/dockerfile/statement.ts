import { refuse, type Place } from './place.ts'
import type { FlagReader } from './flags.ts'
import type { EscapeCharacter, Heredoc, LineRange } from './tree.ts'

/** One instruction before its arguments are read. */
export interface Statement {
  /** Lower case. */
  readonly name: string
  readonly body: string
  readonly heredocs: readonly Heredoc[]
  readonly escape: EscapeCharacter
  readonly place: Place
  readonly lines: LineRange
  readonly source: string
  /** The comment right above, without its mark. */
  readonly comment: string | undefined
}

/** A statement whose flags have been taken off. */
export interface Arguments extends Statement {
  readonly keyword: string
  readonly flags: FlagReader
  /** What follows the flags. */
  readonly rest: string
  readonly located: { readonly lines: LineRange; readonly source: string }
}

/** What follows the flags, which must be something. */
export function required(args: Arguments): string {
  if (args.rest === '') throw refuse(args.place, `${args.keyword} needs an argument`)
  return args.rest
}
