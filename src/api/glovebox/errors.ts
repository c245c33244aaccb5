import { declareErrors } from '#base'

export const apiError = declareErrors({
  'api.no_such_route': 'not_found',
  'api.bad_request': 'invalid',
  'api.body_too_large': 'exhausted',
})
