/**
 * Jobs: crontab expressions and the times that they mean in a time zone, through changes of clocks; and what makes runs of a job when they are due, ends them when they
 * are over, and forgets the oldest. The tasks of a run are made by the services.
 */
export { parseCron, type Cron } from './cron.ts'
export { jobError } from './errors.ts'
export { isUnderWay, judgeRun, type RunSight, type Verdict } from './judge-run.ts'
export { startJobs, type JobLoopPorts } from './loop.ts'
export { nextTime } from './next-time.ts'
export { newRun, planJob, type JobState } from './plan.ts'
export type { JobPlan, JobStep } from './steps.ts'
export { timeZone, type TimeZone } from './time-zone.ts'
