import { declareErrors } from '#base'

/** Those of a file are called as those of the node's own store, for they mean the same. */
export const storeError = declareErrors({
  'store.closed': 'unavailable',
  'store.compacted': 'conflict',
  'store.corrupt': 'internal',
  'store.disk_full': 'exhausted',
  'store.duplicate_key': 'invalid',
  'store.key_invalid': 'invalid',
  'store.lease_not_found': 'not_found',
  'store.newer_version': 'invalid',
  'store.too_large': 'invalid',
  'store.too_many_leases': 'exhausted',
  'store.value_invalid': 'invalid',
})
