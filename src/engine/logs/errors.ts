import { declareErrors } from '#base'

export const logError = declareErrors({
  'log.driver_unsupported': 'unsupported',
  'log.option_unknown': 'invalid',
  'log.option_invalid': 'invalid',
})
