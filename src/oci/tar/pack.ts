import type { TarEntryInit } from './entry.ts'
import { tarError } from './errors.ts'
import { TAR_END, tarHeader, tarPadding } from './write.ts'

/** An entry and, for files, its bytes: exactly `size` of them. */
export interface TarMember {
  readonly entry: TarEntryInit
  readonly body?: AsyncIterable<Buffer> | Iterable<Buffer>
}

/** A whole archive, member by member, in the order given. Nothing is read ahead. */
export async function* packTar(members: AsyncIterable<TarMember> | Iterable<TarMember>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { entry, body } of members) {
    yield tarHeader(entry)
    const size = entry.size ?? 0
    if (size === 0) continue
    let written = 0
    for await (const chunk of body ?? []) {
      written += chunk.length
      if (written > size) break
      yield chunk
    }
    if (written !== size)
      throw tarError(
        'tar.truncated',
        `write ${entry.path}: its body has ${written > size ? 'more' : 'less'} than the ${size} bytes announced`,
      )
    yield tarPadding(size)
  }
  yield TAR_END
}
