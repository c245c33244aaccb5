import { declareErrors } from '#base'

export const runtimeError = declareErrors({
  /** The OCI runtime refused: its text is in the message, the exit code that Docker's clients expect in `details.exitCode`. */
  'runtime.start_failed': 'invalid',
  'runtime.command_failed': 'unavailable',
  'runtime.command_timeout': 'timeout',
  'runtime.not_running': 'conflict',
  'runtime.shim_missing': 'unavailable',
  'runtime.shim_lost': 'unavailable',
  'runtime.protocol_broken': 'internal',
})
