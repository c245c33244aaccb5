import { declareErrors } from '#base'

export const policyError = declareErrors({
  'policy.invalid_party': 'invalid',
  'policy.unknown_party': 'not_found',
})
