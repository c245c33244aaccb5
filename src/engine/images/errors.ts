import { declareErrors } from '#base'

export const imageError = declareErrors({
  'image.not_found': 'not_found',
  'image.ambiguous': 'invalid',
  'image.in_use': 'conflict',
  'image.conflict': 'conflict',
  'image.name_invalid': 'invalid',
  'image.layer_missing': 'conflict',
  'image.layers_invalid': 'invalid',
  'image.archive_invalid': 'invalid',
  'image.archive_too_large': 'exhausted',
  'image.platform_mismatch': 'invalid',
  'image.corrupt': 'internal',
  'image.change_unsupported': 'unsupported',
  'image.bootstrap_unknown': 'unsupported',
  'image.bootstrap_unavailable': 'unavailable',
  'image.bootstrap_failed': 'unavailable',
})
