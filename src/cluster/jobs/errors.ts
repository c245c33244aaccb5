import { declareErrors } from '#base'

export const jobsError = declareErrors({
  /** There is no such service. */
  'job.not_found': 'not_found',
  'job.ambiguous': 'invalid',
  /** The service is there and is meant to go on for ever. */
  'job.is_no_job': 'conflict',
  /** It has no schedule that could be held, or its service is paused or being removed. */
  'job.not_possible': 'conflict',
  /** A run is under way beside which no other may be. */
  'job.run_under_way': 'conflict',
  'job.run_not_found': 'not_found',
  'job.run_is_over': 'conflict',
  /** Somebody else changed it again and again. */
  'job.busy': 'conflict',
})
