import { declareErrors } from '#base'

export const daemonError = declareErrors({
  'daemon.already_running': 'conflict',
  'daemon.program_missing': 'unavailable',
  'daemon.files_out_of_sight': 'unavailable',
  /** What a name means is asked for somebody who is not here. */
  'names.unknown_asker': 'not_found',
  /** A command that a service wants after the start, or before the end, of its tasks. */
  'node.hook_failed': 'unavailable',
  /** A task shares namespaces with a container that does not run here. */
  'node.partner_missing': 'unavailable',
})
