import type { ContentStore } from '#engine/content'
import { bytesOfText, packTar, type TarMember } from '#oci/tar'

import type { SavedFile } from './save-plan.ts'

/** The archive's bytes. Times are all 1970, so that they say nothing of when it was saved. */
export async function* writeArchive(content: ContentStore, files: readonly SavedFile[]): AsyncGenerator<Buffer> {
  yield* packTar(members(content, files))
}

function* members(content: ContentStore, files: readonly SavedFile[]): Generator<TarMember> {
  for (const path of ['blobs', 'blobs/sha256']) yield { entry: { path: bytesOfText(path), type: 'directory', mode: 0o755 } }
  for (const { path, sizeBytes, bytes, blob } of files) {
    const entry = { path: bytesOfText(path), type: 'file' as const, mode: 0o644, size: sizeBytes }
    if (blob !== null) yield { entry, body: content.open(blob) as AsyncIterable<Buffer> }
    else yield { entry, body: bytes === null ? [] : [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)] }
  }
}
