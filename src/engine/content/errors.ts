import { statfsSync } from 'node:fs'

import { declareErrors, during, fail, systemCodeOf, type GloveboxError } from '#base'

export const contentError = declareErrors({
  'content.not_found': 'not_found',
  'content.disk_full': 'exhausted',
  'content.too_large': 'exhausted',
  'content.bomb': 'exhausted',
  'content.compression_invalid': 'invalid',
  'content.compression_unsupported': 'unsupported',
  'content.corrupt': 'internal',
  'content.range_invalid': 'invalid',
})

/** No space, no inodes or no quota, in the system's words. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Called when what was half written is gone again. */
function spaceOf(place: string): string {
  const { bsize, blocks, bavail, ffree, files } = statfsSync(place)
  const megabytes = (count: number) => `${Math.floor((count * bsize) / 1_000_000).toLocaleString('en')} MB`
  const inodes = files > 0 && ffree === 0 ? ', and no inode' : ''
  return `: ${place} has ${megabytes(bavail)} of ${megabytes(blocks)} left${inodes}, without what was begun`
}

/** How Node says that the other end of a stream hung up. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'])

/** What it means that bytes could not be taken in. Everything else keeps its own code. `place` is a directory on the disk that was written to. */
export function writeFailure(doing: string, error: unknown, place?: string): GloveboxError {
  if (FULL.has(systemCodeOf(error) ?? ''))
    return contentError('content.disk_full', `${doing}: the disk is full${place === undefined ? '' : spaceOf(place)}`, {
      cause: error,
      hint: 'Free some space (glovebox system gc --now) or give the engine a larger --root.',
    })
  if (GONE.has(systemCodeOf(error) ?? '')) return fail('operation.cancelled', `${doing}: the sender went away`, { cause: error })
  return during(doing, error)
}
