import { declareErrors } from '#base'

export const whyError = declareErrors({
  /** Nothing that is known has this name. */
  'why.unknown_name': 'not_found',
})
