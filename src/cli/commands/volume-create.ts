import { list, refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { compact } from '../run/compact.ts'
import { pairs } from '../run/pairs.ts'

const CLUSTER = 'there are no volumes of a cluster'

export const volumeCreate = command({
  name: 'volume create',
  usage: '[FLAGS] [NAME]',
  summary: 'Create a volume, and print its name. Without a name it gets one.',
  examples: [
    ['volume create pgdata', 'for `run -v pgdata:/var/lib/postgresql/data`'],
    ['volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch', 'a file system in memory'],
  ],
  flags: {
    driver: text('DRIVER', 'Who keeps it (default local)', 'd'),
    label: list('NAME=VALUE', 'Label'),
    opt: list('NAME=VALUE', 'Option of the driver', 'o'),
    name: text('NAME', 'Its name, in place of the operand'),
    availability: refused(CLUSTER),
    group: refused(CLUSTER),
    'limit-bytes': refused(CLUSTER),
    'required-bytes': refused(CLUSTER),
    scope: refused(CLUSTER),
    secret: refused(CLUSTER),
    sharing: refused(CLUSTER),
    'topology-preferred': refused(CLUSTER),
    'topology-required': refused(CLUSTER),
    type: refused(CLUSTER),
  },
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands: [name] }, context) => {
    const body = compact({
      Name: name ?? flags.name,
      Driver: flags.driver,
      Labels: pairs(flags.label),
      DriverOpts: pairs(flags.opt),
    })
    const made = await (await context.client()).volumes.create(body)
    context.terminal.stdout.write(`${made.Name}\n`)
    return 0
  },
})
