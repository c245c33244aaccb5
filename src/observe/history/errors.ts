import { declareErrors } from '#base'

export const historyError = declareErrors({
  'history.query_invalid': 'invalid',
  'history.query_too_large': 'invalid',
  'history.damaged': 'internal',
  'history.off': 'unavailable',
})
