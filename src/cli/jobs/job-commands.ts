import type { Command } from '../command.ts'
import { jobsHistory } from './history.ts'
import { jobsLogs } from './logs.ts'
import { jobsLs } from './ls.ts'
import { jobsRun } from './run.ts'
import { jobsCancel, jobsResume, jobsSuspend } from './small-commands.ts'

/** The commands of jobs, by their second words. */
export const jobCommands: Readonly<Record<'ls' | 'run' | 'history' | 'logs' | 'cancel' | 'suspend' | 'resume', Command>> = {
  ls: jobsLs,
  run: jobsRun,
  history: jobsHistory,
  logs: jobsLogs,
  cancel: jobsCancel,
  suspend: jobsSuspend,
  resume: jobsResume,
}
