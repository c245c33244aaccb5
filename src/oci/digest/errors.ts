import { declareErrors } from '#base'

export const digestError = declareErrors({
  'digest.invalid': 'invalid',
  'digest.mismatch': 'invalid',
  'digest.size_mismatch': 'invalid',
})
