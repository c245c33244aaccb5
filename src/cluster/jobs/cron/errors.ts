import { declareErrors } from '#base'

export const jobError = declareErrors({
  /** A crontab expression cannot be read, or names a day that never comes. */
  'cron.invalid': 'invalid',
  /** A time zone is not one that this version of the program knows. */
  'cron.time_zone_unknown': 'invalid',
})
