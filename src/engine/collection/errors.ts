import { declareErrors } from '#base'

export const collectionError = declareErrors({
  'collection.policy_invalid': 'invalid',
})
