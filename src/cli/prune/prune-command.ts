import type { Client, DockerPruned } from '#client'

import { isSet, list } from '../args/flags.ts'
import type { Flags, FlagValues } from '../args/flags.ts'
import { type Command, command } from '../command.ts'
import { filterQuery } from '../list-format.ts'
import { confirm } from './confirm.ts'
import { prunedText, reclaimedText } from './prune-text.ts'

const USUAL_FILTERS = 'Only those that match: until, label'

const ownFlags = {
  filter: list('NAME=VALUE', USUAL_FILTERS),
  force: isSet('Do not ask', 'f'),
} as const

export interface Prune<F extends Flags> {
  readonly name: string
  readonly summary: string
  readonly examples: Command['examples']
  readonly flags: F
  /** Which filters there are, when they are others than usual. */
  readonly filterHelp?: string
  readonly warning: (flags: FlagValues<F>) => string
  /** Further filters that the flags stand for. */
  readonly filters?: (flags: FlagValues<F>) => readonly string[]
  readonly prune: (client: Client, filters: string | undefined, flags: FlagValues<F>) => Promise<DockerPruned>
  /** Networks take no space. */
  readonly saysSpace: boolean
}

/** A command that removes what nothing uses, after asking. */
export function pruneCommand<const F extends Flags>(kind: Prune<F>): Command {
  return command({
    name: kind.name,
    usage: '[FLAGS]',
    summary: kind.summary,
    examples: kind.examples,
    flags: { ...kind.flags, ...ownFlags, filter: list('NAME=VALUE', kind.filterHelp ?? USUAL_FILTERS) },
    operands: { min: 0, max: 0 },
    run: async ({ flags }, context) => {
      const { stdout } = context.terminal
      const own = flags as unknown as FlagValues<typeof ownFlags>
      const theirs = flags as unknown as FlagValues<F>
      if (!own.force && !(await confirm(kind.warning(theirs), context))) return 0
      const filters = filterQuery([...own.filter, ...(kind.filters?.(theirs) ?? [])])
      const pruned = await kind.prune(await context.client(), filters, theirs)
      stdout.write(prunedText(pruned))
      if (kind.saysSpace) stdout.write(reclaimedText(pruned.SpaceReclaimed ?? 0))
      return 0
    },
  })
}
