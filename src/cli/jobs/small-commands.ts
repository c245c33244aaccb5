import { command } from '../command.ts'
import { forEach } from '../for-each.ts'

export const jobsSuspend = command({
  name: 'jobs suspend',
  usage: 'JOB...',
  summary: 'Let the times of a schedule pass without runs, until it is resumed.',
  description:
    'They are counted as missed. Runs that are under way go on, and `jobs run` works all the same. It stays so when the application is applied again.',
  examples: [['jobs suspend shop/backup', 'while the disk is being changed']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['job'],
  run: ({ operands }, context) => forEach(operands, context, async (client, name) => void (await client.jobs.suspend(name))),
})

export const jobsResume = command({
  name: 'jobs resume',
  usage: 'JOB...',
  summary: 'Follow a schedule again, from its next time on.',
  examples: [['jobs resume shop/backup', 'what was missed meanwhile is not made up for']],
  flags: {},
  operands: { min: 1, max: Infinity },
  completes: ['job'],
  run: ({ operands }, context) => forEach(operands, context, async (client, name) => void (await client.jobs.resume(name))),
})

export const jobsCancel = command({
  name: 'jobs cancel',
  usage: 'JOB RUN',
  summary: 'End a run: its tasks are told to end, and it counts as cancelled.',
  examples: [['jobs cancel shop/backup m1f00ba4', 'the name is in `jobs history`']],
  flags: {},
  operands: { min: 2, max: 2 },
  completes: ['job', 'run'],
  run: async ({ operands: [name = '', run = ''] }, context) => {
    const { name: ended } = await (await context.client()).jobs.cancel(name, run)
    context.terminal.stdout.write(`${ended}\n`)
    return 0
  },
})
