import { declareErrors } from '#base'

/** Of secrets and of configs; the message says which. */
export const secretError = declareErrors({
  'secret.ambiguous': 'invalid',
  'secret.busy': 'conflict',
  'secret.changed': 'conflict',
  'secret.in_use': 'conflict',
  'secret.key_exposed': 'denied',
  'secret.key_invalid': 'invalid',
  'secret.key_missing': 'unavailable',
  'secret.key_unchanged': 'conflict',
  'secret.labels_too_large': 'invalid',
  'secret.name_in_use': 'conflict',
  'secret.name_invalid': 'invalid',
  'secret.not_found': 'not_found',
  'secret.too_large': 'invalid',
  'secret.undecipherable': 'internal',
})
