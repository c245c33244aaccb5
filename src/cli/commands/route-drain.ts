import { choice, duration } from '../args/flags.ts'
import { command } from '../command.ts'

/** Looked at so often. */
const POLL_MS = 250
const WAIT_MS = 60_000

export const routeDrain = command({
  name: 'route drain',
  usage: '[FLAGS] ROUTE GROUP',
  summary: 'Send a group of backends no more requests, and wait until it has none.',
  description:
    'The same as `route shift ROUTE GROUP=0`, and then it waits for the connections that there are. Exit code 1 when some are left after --wait. `route shift --reset ROUTE` takes it back.',
  examples: [['route drain shop/web old', 'before the old installation is switched off']],
  flags: { wait: duration('How long to wait, 1m by default'), format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 2, max: 2 },
  completes: ['route'],
  run: async ({ flags, operands: [id = '', group = ''] }, context) => {
    const { routes } = await context.client()
    const { clock, terminal } = context
    await routes.shift(id, { [group]: 0 })
    const deadlineMs = clock.monotonicMs() + (flags.wait ?? WAIT_MS)
    for (;;) {
      const route = await routes.inspect(id)
      const left = route.backends
        .filter((backend) => backend.group === group)
        .reduce((sum, backend) => sum + backend.connections, 0)
      const isOver = left === 0 || clock.monotonicMs() >= deadlineMs
      if (isOver) {
        const text = left === 0 ? `${group} has no connections any more.` : `${group} still has ${left} connections.`
        terminal.stdout.write(
          flags.format === 'json' ? `${JSON.stringify({ route: id, group, connections: left })}\n` : `${text}\n`,
        )
        return left === 0 ? 0 : 1
      }
      await clock.sleep(POLL_MS)
    }
  },
})
