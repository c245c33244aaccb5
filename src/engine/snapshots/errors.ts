import { declareErrors, during, systemCodeOf, type GloveboxError } from '#base'

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
  'snapshot.disk_full': 'exhausted',
})

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** tar(1) has no codes, only the words of strerror(3), or of a write that ended early. */
const FULL_WORDS = /No space left on device|Disk quota exceeded|Wrote only \d+ of \d+ bytes/

/** A layer that could not be made mountable: a full disk is nobody's mistake and says so. */
export function layerFailure(doing: string, error: unknown): GloveboxError {
  const failure = during(doing, error)
  if (!FULL.has(systemCodeOf(error) ?? '') && !(failure.code === 'snapshot.unpack_failed' && FULL_WORDS.test(failure.message)))
    return failure
  return snapshotError('snapshot.disk_full', `${doing}: the disk is full`, {
    cause: error,
    hint: 'Free some space (glovebox system gc --now) or give the engine a larger --root.',
  })
}
