import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { routePage } from '../output/route-page.ts'

export const routeInspect = command({
  name: 'route inspect',
  usage: '[FLAGS] ROUTE',
  summary: 'Show a route, its backends and what it did.',
  description:
    'Figures are counted since the daemon started, by group of backends: a revision, or a target beside. Times are those from the head of a request to the head of its answer.',
  examples: [['route inspect shop/web/8080', 'who answers, with what part of the requests, and how well']],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 1, max: 1 },
  completes: ['route'],
  run: async ({ flags, operands: [id = ''] }, context) => {
    const route = await (await context.client()).routes.inspect(id)
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(route, null, 2)}\n` : routePage(route))
    return 0
  },
})
