import { declareErrors } from '#base'

export const environmentError = declareErrors({
  'environment.not_found': 'not_found',
  /** Environments of several applications have the name. */
  'environment.ambiguous': 'invalid',
  'environment.name_invalid': 'invalid',
  /** Its name, or that of one of its parts, is another's. */
  'environment.name_taken': 'conflict',
  'environment.setting_invalid': 'invalid',
  'environment.host_invalid': 'invalid',
  /** Two routes would answer for the same host, port and path. */
  'environment.host_taken': 'conflict',
  'environment.life_invalid': 'invalid',
  'environment.too_many': 'exhausted',
  'environment.is_being_removed': 'conflict',
  /** It was changed by others all the time, or its stack is gone. */
  'environment.changed': 'conflict',
  /** What is asked of an environment's stack has to be asked of the environment. */
  'environment.is_environment': 'conflict',
})
