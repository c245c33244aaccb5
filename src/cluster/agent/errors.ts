import { declareErrors } from '#base'

export const agentError = declareErrors({
  /** A network or volume that somebody else was to make. */
  'task.part_missing': 'not_found',
  /** The node was to fetch its image, and could not. Trying again is another task's business. */
  'task.image_missing': 'not_found',
})
