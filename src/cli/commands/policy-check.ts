import { choice } from '../args/flags.ts'
import { command } from '../command.ts'

export const policyCheck = command({
  name: 'policy check',
  usage: '[FLAGS] FROM TO[:PORT[/PROTOCOL]]',
  summary: 'Say whether one may connect to another, and by which rule.',
  description:
    'FROM is a service, such as shop/web, or the name of a task; TO the same with a port, or an address. Exit code 1 when it is refused.',
  examples: [
    ['policy check shop/web shop/db:5432', 'inside an application'],
    ['policy check shop/web 203.0.113.7:443', 'to somewhere outside'],
  ],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 2, max: 2 },
  completes: ['service', 'service'],
  run: async ({ flags, operands: [from = '', to = ''] }, context) => {
    const answer = await (await context.client()).policy.check(from, to)
    const at = answer.port === 0 ? '' : ` at ${answer.protocol}/${answer.port}`
    const text = [
      `${answer.from} ${answer.isAllowed ? 'may' : 'may not'} connect to ${answer.to}${at}.`,
      `  by: ${answer.rule}`,
      ...(answer.networks.length === 0 ? [] : [`  on: ${answer.networks.join(', ')}`]),
    ]
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : `${text.join('\n')}\n`)
    return answer.isAllowed ? 0 : 1
  },
})
