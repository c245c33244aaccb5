import { declareErrors } from '#base'

export const storeError = declareErrors({
  'store.closed': 'unavailable',
  'store.compacted': 'conflict',
  'store.duplicate_key': 'invalid',
  'store.file_damaged': 'internal',
  'store.file_full': 'exhausted',
  'store.file_newer': 'invalid',
  'store.key_invalid': 'invalid',
  'store.lease_not_found': 'not_found',
  'store.too_large': 'invalid',
  'store.too_many_leases': 'exhausted',
  'store.value_invalid': 'invalid',
})
