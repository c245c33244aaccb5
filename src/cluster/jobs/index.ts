/**
 * Jobs: what makes runs when they are due, ends them when they are over, and forgets the oldest. The tasks of a run are made by the services; crontab expressions are
 * in `cron`.
 */
export { isUnderWay, judgeRun, type RunSight, type Verdict } from './judge-run.ts'
export { startJobs, type JobLoopPorts } from './loop.ts'
export { newRun, planJob, type JobState } from './plan.ts'
export type { JobPlan, JobStep } from './steps.ts'
