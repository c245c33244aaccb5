import { choice } from '../args/flags.ts'
import { command } from '../command.ts'

export const dashboardOpen = command({
  name: 'dashboard open',
  usage: '[FLAGS]',
  summary: 'Print a link that signs in to the dashboard once, as an administrator.',
  description:
    'The dashboard listens where the daemon was started with --dashboard-listen; without that it begins to listen on 127.0.0.1 now, until the daemon ends. The link is good for five minutes. On another machine, forward the port first: ssh -L PORT:127.0.0.1:PORT HOST.',
  examples: [['dashboard open', 'a link for the browser']],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const link = await (await context.client()).dashboard.open()
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(link, null, 2)}\n` : `${link.url}\n`)
    return 0
  },
})
