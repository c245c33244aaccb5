import { EMPTY_BYTES, type ByteString, type TarXattr } from '#oci/tar'

export type NodeType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo'

/** One inode. Several names may lead to the same node: hard links. */
export interface LayerNode {
  readonly type: NodeType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtimeS: number
  readonly mtimeNs: number
  /** Of a symlink. */
  readonly target: ByteString
  readonly devMajor: number
  readonly devMinor: number
  readonly xattrs: readonly TarXattr[]
  /** Of a file's bytes in the tar. */
  readonly dataOffset: number
}

export interface LayerDirectory extends LayerNode {
  readonly type: 'directory'
  readonly children: ReadonlyMap<ByteString, LayerNode>
}

/** What one layer says, after all its entries have been merged. Whiteouts are `char` nodes 0:0, opaque directories carry the attribute. */
export interface LayerTree {
  readonly root: LayerDirectory
  /** The root is opaque: layers below do not show. Overlayfs does not look at the attribute there, so whoever mounts has to. */
  readonly isRootOpaque: boolean
  /** The layer has an entry for its root, so its mode and owner are meant. */
  readonly isRootExplicit: boolean
  /** Entries read, markers included. */
  readonly entries: number
  /** Sum of the sizes of its files, each hard link counted once. */
  readonly fileBytes: number
}

export const OPAQUE_XATTR = 'trusted.overlay.opaque' as ByteString

const NO_XATTRS: readonly TarXattr[] = Object.freeze([])

/** What overlayfs takes as "not here, and nothing below either". */
export function whiteoutNode(): LayerNode {
  return {
    type: 'char',
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeS: 0,
    mtimeNs: 0,
    target: EMPTY_BYTES,
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
    dataOffset: 0,
  }
}

export function isWhiteout(node: LayerNode): boolean {
  return node.type === 'char' && node.devMajor === 0 && node.devMinor === 0
}

export function isDirectory(node: LayerNode): node is LayerDirectory {
  return node.type === 'directory'
}

/** Depth first, names in byte order, a directory before what it holds; the root has the empty path. */
export function* walkTree(root: LayerDirectory): Generator<{ readonly path: ByteString; readonly node: LayerNode }> {
  const stack: { readonly path: ByteString; readonly node: LayerNode }[] = [{ path: EMPTY_BYTES, node: root }]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    yield item
    if (!isDirectory(item.node)) continue
    const prefix = item.path === '' ? '' : `${item.path}/`
    const names = [...item.node.children.keys()].sort()
    for (const name of names.toReversed()) {
      const node = item.node.children.get(name)
      if (node !== undefined) stack.push({ path: `${prefix}${name}` as ByteString, node })
    }
  }
}
