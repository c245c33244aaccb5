import { declareErrors } from '#base'

export const patternError = declareErrors({
  'pattern.invalid': 'invalid',
  'pattern.too_long': 'exhausted',
})
