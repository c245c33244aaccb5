import { declareErrors } from '#base'

export const serviceError = declareErrors({
  'service.not_found': 'not_found',
  'service.ambiguous': 'invalid',
  'service.name_in_use': 'conflict',
  /** Somebody changed it since the caller read it. */
  'service.changed': 'conflict',
  'service.is_being_removed': 'conflict',
  /** What was asked makes no sense for it as it is: no revision to go back to, no rollout to promote, the mode of another kind. */
  'service.not_possible': 'conflict',
  'service.too_many': 'exhausted',
  'service.too_many_tasks': 'exhausted',
  'service.task_not_found': 'not_found',
  'service.node_not_found': 'not_found',
  /** Tasks run on it, or it is alive. */
  'service.node_in_use': 'conflict',
})
