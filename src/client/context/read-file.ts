import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

import type { WireContextEntry } from '#api/glovebox'
import { messageOf, systemCodeOf } from '#base'
import { bytesOfText, textOfBytes, type ByteString } from '#oci/tar'

import { clientError } from '../errors.ts'
import { nodePath, signatureOf } from './scan.ts'
import { OWN_FILES, type SourceFiles } from './source-files.ts'

const CHUNK_BYTES = 1024 * 1024

/** The content of a listed file, exactly as long as it was listed. One that has changed since ends it with `client.context_changed`. */
export function* readListed(
  root: string,
  entry: WireContextEntry,
  { at }: Pick<SourceFiles, 'at'> = OWN_FILES,
): Generator<Buffer> {
  const [path, , , sizeBytes, , signature] = entry
  const shown = `${root}/${textOfBytes(path as ByteString)}`
  const fd = opened(at(root), path as ByteString, shown)
  try {
    for (let left = sizeBytes; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES))
      const count = readSync(fd, chunk)
      if (count === 0) throw changed(shown)
      left -= count
      yield chunk.subarray(0, count)
    }
    // Times are looked at after the content: what changed while it was read shows here.
    if (!signature.startsWith(signatureOf(fstatSync(fd, { bigint: true })))) throw changed(shown)
  } finally {
    closeSync(fd)
  }
}

function opened(place: string, path: ByteString, shown: string): number {
  try {
    // Not through a link that was put in its place meanwhile, and without waiting for a pipe.
    return openSync(nodePath(bytesOfText(place), path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO') throw changed(shown)
    throw clientError('client.bad_context', `read ${shown}: ${code ?? messageOf(error)}`, {
      cause: error,
      hint: 'Name it in .dockerignore if the build does not need it.',
    })
  }
}

function changed(shown: string): Error {
  return clientError('client.context_changed', `${shown} changed while it was sent to the builder`, {
    hint: 'Build again, or name in .dockerignore what other programs write.',
  })
}
