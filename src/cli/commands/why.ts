import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { whyPage } from '../output/why-page.ts'

export const why = command({
  name: 'why',
  usage: '[FLAGS] [NAME]',
  summary: 'Say what is not as wanted, why, and what to do.',
  description:
    'NAME is an application, a service (shop/web), a task (shop/web.1), a container, a route (host, host/path or port), a job, a node or an image. Without a name: whatever is wrong now, the weightiest first. Exit code 1 when something is wrong, 0 when nothing is.',
  examples: [
    ['why', 'whatever is wrong now'],
    ['why shop/web', 'one service, and what it waits for'],
    ['why localhost:8080 --format json', 'a route, for a program'],
  ],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 0, max: 1 },
  completes: ['anything'],
  run: async ({ flags, operands }, context) => {
    const { stdout } = context.terminal
    const report = await (await context.client()).glovebox.why(operands[0] ?? null)
    stdout.write(
      flags.format === 'json'
        ? `${JSON.stringify(report, null, 2)}\n`
        : whyPage(report, context.paint, {
            width: stdout.isTty ? Math.min(stdout.columns, 100) : 100,
            nowMs: context.clock.nowMs(),
          }),
    )
    return report.isWell ? 0 : 1
  },
})
