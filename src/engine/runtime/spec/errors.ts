import { declareErrors } from '#base'

export const specError = declareErrors({
  'spec.invalid': 'invalid',
  'spec.unsupported': 'unsupported',
})
