import type { ServiceVerb } from '#api/glovebox'

import { command, type Command } from '../command.ts'
import { number } from '../args/flags.ts'
import { cliError } from '../errors.ts'
import { carryFlags, carryOut } from './carry-out.ts'

type Simple = 'resume' | 'promote' | 'abort' | 'remove' | 'pause'

/** A verb that takes nothing but the names of services. */
function simple(verb: Simple, about: Pick<Command, 'name' | 'summary' | 'description' | 'examples'>): Command {
  return command({
    ...about,
    usage: '[FLAGS] SERVICE...',
    flags: carryFlags,
    operands: { min: 1, max: Infinity },
    completes: ['service'],
    run: async ({ flags, operands }, context) =>
      await carryOut(
        operands.map((ref) => ({ ref, verb: { verb } })),
        flags,
        context,
      ),
  })
}

export const servicePause = simple('pause', {
  name: 'service pause',
  summary: 'Hold services as they are: nothing is replaced, scaled or rolled.',
  description: 'Tasks that end are started again all the same. A rollout under way stands still.',
  examples: [['service pause shop/web', 'until `glovebox resume shop/web`']],
})

export const resume = simple('resume', {
  name: 'resume',
  summary: 'Let services go on that were paused, or whose rollout failures brought to a halt.',
  description: 'What failed before does not count again.',
  examples: [['resume shop/web', 'and wait until it is there']],
})

export const promote = simple('promote', {
  name: 'promote',
  summary: 'Let a rollout go on to its end, whatever was or would be judged.',
  examples: [['promote shop/web', 'a canary that waits for it, or that has too few requests']],
})

export const abort = simple('abort', {
  name: 'abort',
  summary: 'End a rollout and go back to where it came from.',
  examples: [['abort shop/web', 'while it is under way']],
})

export const serviceRm = simple('remove', {
  name: 'service rm',
  summary: 'Remove services: their tasks go, their volumes stay.',
  description: 'A service of an application comes back with the next `glovebox up`.',
  examples: [['service rm web', 'and wait until nothing of it is left']],
})

export const rollback = command({
  name: 'rollback',
  usage: '[FLAGS] SERVICE...',
  summary: 'Go back to the revision before, or to a numbered one.',
  description: '`glovebox history SERVICE` shows the revisions and what changed between them.',
  examples: [
    ['rollback shop/web', 'what was before the last change'],
    ['rollback --to 3 shop/web', 'revision 3, as a change like any other'],
    ['rollback --dry-run shop/web', 'what that would mean'],
  ],
  flags: { ...carryFlags, to: number('REVISION', 'This one') },
  operands: { min: 1, max: Infinity },
  completes: ['service'],
  run: async ({ flags, operands }, context) => {
    if (flags.to !== undefined && operands.length > 1) throw cliError('cli.usage', '--to is for one service')
    const verb: ServiceVerb = { verb: 'rollback', ...(flags.to === undefined ? {} : { revision: flags.to }) }
    return await carryOut(
      operands.map((ref) => ({ ref, verb })),
      flags,
      context,
    )
  },
})

export const scale = command({
  name: 'scale',
  usage: '[FLAGS] SERVICE=N...',
  summary: 'Run so many tasks of services.',
  description: 'It makes no revision. The next `glovebox up` brings the number in the file back.',
  examples: [
    ['scale shop/web=3 shop/worker=5', 'several at once'],
    ['scale --dry-run shop/web=0', 'what that would mean'],
  ],
  flags: carryFlags,
  operands: { min: 1, max: Infinity },
  completes: ['service'],
  run: async ({ flags, operands }, context) => await carryOut(operands.map(readScale), flags, context),
})

function readScale(word: string): { readonly ref: string; readonly verb: ServiceVerb } {
  const [, ref, count] = /^(.+)=(\d{1,9})$/.exec(word) ?? []
  if (ref === undefined || count === undefined)
    throw cliError('cli.usage', `${JSON.stringify(word)} is not SERVICE=N`, { hint: 'As in `glovebox scale shop/web=3`.' })
  return { ref, verb: { verb: 'scale', replicas: Number(count) } }
}
