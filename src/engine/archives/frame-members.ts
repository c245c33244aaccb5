import { textOfBytes, type ByteString, type TarEntryInit, type TarMember } from '#oci/tar'

import { archiveError } from './errors.ts'
import { decodeEntry, FRAME, type Frame } from './frames.ts'

/** Gives the next frame; never one that tells a failure. */
export type NextFrame = () => Promise<Frame>

/** A tree that arrives in frames as members of an archive, under the name that it is to have there. */
export async function* membersOfFrames(next: NextFrame, baseName: ByteString): AsyncGenerator<TarMember> {
  for (let frame = await next(); frame.type !== FRAME.end; frame = await next()) {
    if (frame.type !== FRAME.entry)
      throw archiveError('archive.failed', `the confined program sent ${frame.type} in place of an entry`)
    const entry = renamed(decodeEntry(frame.payload), baseName)
    yield { entry, body: bodyOf(next, entry) }
  }
}

function renamed(entry: TarEntryInit, baseName: ByteString): TarEntryInit {
  const path = below(baseName, entry.path)
  return entry.type === 'hardlink'
    ? { ...entry, path, linkname: below(baseName, entry.linkname ?? ('' as ByteString)) }
    : { ...entry, path }
}

/** Clients rename by replacing the base name, so the root's members begin with a slash. */
function below(baseName: ByteString, path: ByteString): ByteString {
  if (path === '') return baseName
  return (baseName === '/' ? `/${path}` : `${baseName}/${path}`) as ByteString
}

async function* bodyOf(next: NextFrame, { path, size = 0 }: TarEntryInit): AsyncGenerator<Buffer> {
  for (let left = size; left > 0;) {
    const { type, payload } = await next()
    if (type !== FRAME.bytes || payload.length === 0)
      throw archiveError('archive.failed', `the confined program ended ${textOfBytes(path)} early`)
    left -= payload.length
    yield payload
  }
}
