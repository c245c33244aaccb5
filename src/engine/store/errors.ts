import { declareErrors } from '#base'

export const storeError = declareErrors({
  'store.newer_version': 'invalid',
  'store.corrupt': 'internal',
  'store.disk_full': 'exhausted',
})
