import { tarPushScanner, textOfBytes, type TarEntry } from '#oci/tar'

import { archiveError } from './errors.ts'
import { encodeBytes, encodeEntry, encodeFrame, FRAME } from './frames.ts'

/** What of an archive's wishes is granted. */
export interface EntryPolicy {
  /** The container's own root could make device nodes as well. */
  readonly mayMakeDevices: boolean
  /** null: as the archive says. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
}

/** An archive as the frames that unpack it, as it comes in: nothing but one chunk is held. Errors: `tar.*`, `archive.node_refused`. */
export async function* tarFrames(
  source: AsyncIterable<Uint8Array>,
  policy: EntryPolicy,
): AsyncGenerator<Buffer, void, undefined> {
  const entries: TarEntry[] = []
  const scanner = tarPushScanner((entry) => entries.push(entry))
  // Of the entry that was sent last: where in the archive the rest of its body lies.
  let body = { at: 0, end: 0 }
  for await (const piece of source) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const start = scanner.totalBytes
    scanner.push(chunk)
    for (;;) {
      const to = Math.min(body.end, start + chunk.length)
      if (to > body.at) {
        yield* encodeBytes(chunk.subarray(body.at - start, to - start))
        body = { at: to, end: body.end }
      }
      if (body.at < body.end) break
      const entry = entries.shift()
      if (entry === undefined) break
      yield encodeEntry(granted(entry, policy))
      body = { at: entry.dataOffset, end: entry.dataOffset + entry.size }
    }
  }
  scanner.end()
  yield encodeFrame(FRAME.end)
}

function granted(entry: TarEntry, { mayMakeDevices, owner }: EntryPolicy): TarEntry {
  const isDevice = entry.type === 'char' || entry.type === 'block'
  // overlayfs writes a deletion down as the device 0:0.
  const isWhiteout = entry.type === 'char' && entry.devMajor === 0 && entry.devMinor === 0
  if (isWhiteout || (isDevice && !mayMakeDevices))
    throw archiveError('archive.node_refused', `${textOfBytes(entry.path)}: the container may not have a device node there`, {
      hint: 'Leave device nodes out of the archive, or give the container the capability MKNOD.',
    })
  return owner === null ? entry : { ...entry, ...owner }
}
