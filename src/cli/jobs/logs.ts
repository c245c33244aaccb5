import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { printOutput } from './print-output.ts'

export const jobsLogs = command({
  name: 'jobs logs',
  usage: '[FLAGS] JOB [RUN]',
  summary: 'Show what the tasks of a run wrote; without a name those of the youngest run.',
  examples: [
    ['jobs logs shop/backup', 'the last run'],
    ['jobs logs -f shop/backup m1f00ba4', 'a certain one, until it is over'],
  ],
  flags: {
    follow: isSet('Stay and show what comes, until the run is over', 'f'),
    timestamps: isSet('A time before each line', 't'),
  },
  operands: { min: 1, max: 2 },
  completes: ['job', 'run'],
  run: async ({ flags, operands: [name = '', wanted] }, context) => {
    const { jobs } = await context.client()
    const run = wanted ?? (await jobs.inspect(name)).last?.name
    if (run === undefined) throw cliError('cli.failed', `the job ${name} never ran`)
    await printOutput(jobs.output(name, run, { follow: flags.follow }), { hasTimes: flags.timestamps }, context)
    return 0
  },
})
