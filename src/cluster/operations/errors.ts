import { declareErrors } from '#base'

export const operationError = declareErrors({
  /** What would be done now is not what was shown. */
  'operation.outdated': 'conflict',
  /** Of what was asked a service of this kind has none. */
  'operation.invalid': 'invalid',
  'operation.revision_not_found': 'not_found',
})
