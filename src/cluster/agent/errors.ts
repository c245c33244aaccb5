import { declareErrors } from '#base'

export const agentError = declareErrors({
  /** A network or volume that somebody else was to make. */
  'task.part_missing': 'not_found',
})
