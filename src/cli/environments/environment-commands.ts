import type { Command } from '../command.ts'
import { envCreate } from './create.ts'
import { envDiff } from './diff.ts'
import { envLs } from './ls.ts'
import { envSet } from './set.ts'
import { envExtend, envRm } from './small-commands.ts'

/** The commands of environments, by their second words. */
export const environmentCommands: Readonly<Record<'create' | 'ls' | 'diff' | 'set' | 'extend' | 'rm', Command>> = {
  create: envCreate,
  ls: envLs,
  diff: envDiff,
  set: envSet,
  extend: envExtend,
  rm: envRm,
}
