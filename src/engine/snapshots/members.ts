import { read } from 'node:fs'
import { promisify } from 'node:util'

import { isDirectory, walkTree, type LayerNode, type LayerTree } from '#oci/erofs'
import { EMPTY_BYTES, type ByteString, type TarEntryInit, type TarMember } from '#oci/tar'

import { snapshotError } from './errors.ts'

const readAsync = promisify(read)

/** Body pieces: large enough that the calls do not count. */
const PIECE_BYTES = 256 * 1024

/** The merged tree as an archive again: no name twice, no name through a link, links after what they link to. */
export function* membersOfTree(tree: LayerTree, contentFd: number): Generator<TarMember> {
  const firstPaths = new Map<LayerNode, ByteString>()
  for (const { path, node } of walkTree(tree.root)) {
    const first = isDirectory(node) ? undefined : firstPaths.get(node)
    if (first !== undefined) {
      yield { entry: { path, type: 'hardlink', linkname: first } }
      continue
    }
    firstPaths.set(node, path)
    const entry: TarEntryInit = {
      path,
      type: node.type,
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      size: node.size,
      mtimeS: node.mtimeS,
      mtimeNs: node.mtimeNs,
      linkname: node.type === 'symlink' ? node.target : EMPTY_BYTES,
      devMajor: node.devMajor,
      devMinor: node.devMinor,
      xattrs: node.xattrs,
    }
    yield node.size > 0 ? { entry, body: readRange(contentFd, node.dataOffset, node.size) } : { entry }
  }
}

/** Exactly `length` bytes of an open file from `position`. Errors: `snapshot.changed_while_reading` when it ends before. */
export async function* readRange(fd: number, position: number, length: number): AsyncGenerator<Buffer, void, undefined> {
  for (let done = 0; done < length;) {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, length - done))
    const { bytesRead } = await readAsync(fd, buffer, 0, buffer.length, position + done)
    if (bytesRead === 0)
      throw snapshotError(
        'snapshot.changed_while_reading',
        `a file became shorter while it was read: ${done} of ${length} bytes`,
        {
          hint: 'Pause the container while its changes are read.',
        },
      )
    done += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
