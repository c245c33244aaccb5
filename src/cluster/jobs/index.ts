/**
 * Jobs: what makes runs when they are due, ends them when they are over, and forgets the oldest; and what people see of them and ask of them by hand (`openJobs`). The
 * tasks of a run are made by the services; crontab expressions are in `cron`.
 */
export { jobsError } from './errors.ts'
export { isUnderWay, judgeRun, type RunSight, type Verdict } from './judge-run.ts'
export { startJobs, type JobLoopPorts } from './loop.ts'
export { openJobs, type JobsPorts } from './operate.ts'
export { newRun, planJob, type JobState } from './plan.ts'
export type * from './port.ts'
export type { JobPlan, JobStep } from './steps.ts'
