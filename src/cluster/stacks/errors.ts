import { declareErrors } from '#base'

export const stackError = declareErrors({
  /** What would be done now is not what was shown. */
  'stack.outdated': 'conflict',
  'stack.not_found': 'not_found',
  /** It is on its way out; applying it again has to wait until it is gone. */
  'stack.is_being_removed': 'conflict',
  /** Two stacks publish the same port. */
  'stack.port_taken': 'conflict',
  /** A service that stands alone, or one of another stack, has the name that a service would get. */
  'stack.name_taken': 'conflict',
  /** It was changed by others again and again. */
  'stack.changed': 'conflict',
  /** More stacks than one node is made for. */
  'stack.too_many': 'exhausted',
})
