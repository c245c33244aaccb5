import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

const load = async () => (await import('../jobs/job-commands.ts')).jobCommands

/** What is meant to end, now or at certain times. */
export const jobEntries: readonly TableEntry[] = [
  entry('Jobs', 'jobs ls', 'List jobs, when they run next and what came of the last time', async () => (await load()).ls, [
    'jobs',
    'jobs list',
  ]),
  entry('Jobs', 'jobs run', 'Run a job now', async () => (await load()).run),
  entry('Jobs', 'jobs history', 'List the runs of a job', async () => (await load()).history),
  entry('Jobs', 'jobs logs', 'Show what a run wrote', async () => (await load()).logs),
  entry('Jobs', 'jobs cancel', 'End a run', async () => (await load()).cancel),
  entry('Jobs', 'jobs suspend', 'Let the times of a schedule pass without runs', async () => (await load()).suspend),
  entry('Jobs', 'jobs resume', 'Follow a schedule again', async () => (await load()).resume),
]
