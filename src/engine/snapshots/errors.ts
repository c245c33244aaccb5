import { declareErrors } from '#base'

export const snapshotError = declareErrors({
  'snapshot.layer_not_found': 'not_found',
  'snapshot.layer_in_use': 'conflict',
  'snapshot.container_not_found': 'not_found',
  'snapshot.container_conflict': 'conflict',
  'snapshot.unsafe_mount_point': 'denied',
  'snapshot.too_many_layers': 'invalid',
  'snapshot.digest_unsupported': 'unsupported',
  'snapshot.driver_unusable': 'unsupported',
  'snapshot.unpack_failed': 'internal',
  'snapshot.layer_broken': 'internal',
  'snapshot.name_reserved': 'invalid',
  'snapshot.changed_while_reading': 'conflict',
  'snapshot.too_deep': 'exhausted',
})
