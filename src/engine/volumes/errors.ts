import { declareErrors } from '#base'

export const volumeError = declareErrors({
  'volume.not_found': 'not_found',
  'volume.in_use': 'conflict',
  'volume.name_invalid': 'invalid',
  'volume.conflict': 'conflict',
  'volume.driver_unknown': 'not_found',
  'volume.option_unsupported': 'unsupported',
  'volume.option_invalid': 'invalid',
  'volume.mount_failed': 'unavailable',
})
