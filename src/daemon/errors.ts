import { declareErrors } from '#base'

export const daemonError = declareErrors({
  'daemon.already_running': 'conflict',
  'daemon.program_missing': 'unavailable',
})
