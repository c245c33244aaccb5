import { choice, isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { sharesText } from '../output/route-page.ts'

export const routeShift = command({
  name: 'route shift',
  usage: '[FLAGS] ROUTE [GROUP=PERCENT...]',
  summary: "Move a part of a route's requests to another group.",
  description:
    'A group is a revision of a service or a target beside it; `glovebox route inspect` names them. Groups that are not named share the rest as before. It holds over restarts and rollouts, until --reset.',
  examples: [
    ['route shift shop/web old=80', 'four of five requests to the old installation'],
    ['route shift shop/web old=0', 'none any more'],
    ['route shift --reset shop/web', 'as it is written down'],
  ],
  flags: { reset: isSet('Forget what was shifted by hand'), format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 1, max: 50 },
  completes: ['route'],
  run: async ({ flags, operands: [id = '', ...words] }, context) => {
    if (flags.reset === words.length > 0) throw cliError('cli.usage', 'either GROUP=PERCENT or --reset is needed')
    const { routes } = await context.client()
    const shares = flags.reset ? null : Object.fromEntries(words.map(readShare))
    const route = await routes.shift(id, shares)
    context.terminal.stdout.write(
      flags.format === 'json' ? `${JSON.stringify(route, null, 2)}\n` : `${route.id}: ${sharesText(route)}\n`,
    )
    return 0
  },
})

function readShare(word: string): readonly [string, number] {
  const at = word.lastIndexOf('=')
  const percent = word.slice(at + 1).replace(/%$/, '')
  if (at < 1 || !/^\d{1,3}(\.\d+)?$/.test(percent)) throw cliError('cli.usage', `${JSON.stringify(word)} is not GROUP=PERCENT`)
  return [word.slice(0, at), Number(percent)]
}
