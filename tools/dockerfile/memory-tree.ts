import type { FileTree, TreeEntry } from '#engine/builder'
import { digestHex, digestOf, parseDigest } from '#oci/digest'
import { hostPlatform, MEDIA_TYPES } from '#oci/image'
import { bytesOfText, EMPTY_BYTES, type ByteString } from '#oci/tar'

/** Files in memory, as a directory that a client sends. */
export function memoryTree(files: Readonly<Record<string, string>>): FileTree {
  const bodies = new Map(Object.entries(files).map(([path, text]) => [bytesOfText(path), Buffer.from(text)]))
  const directories = new Set<string>(['', ...[...bodies.keys()].flatMap(parents)])
  const entry = (type: TreeEntry['type'], mode: number, sizeBytes: number): TreeEntry => ({
    type,
    mode,
    sizeBytes,
    ...{ uid: 0, gid: 0, mtimeS: 0, linkname: EMPTY_BYTES, xattrs: [] },
  })
  const lstat = (path: ByteString) => {
    const body = bodies.get(path)
    if (body !== undefined) return entry('file', 0o644, body.length)
    return directories.has(path) ? entry('directory', 0o755, 0) : undefined
  }
  const all = [...bodies.keys(), ...directories].filter((path) => path !== '')
  const list = (path: ByteString) =>
    all
      .filter((one) => (parents(one).at(-1) ?? '') === path)
      .map((one) => one.slice(one.lastIndexOf('/') + 1) as ByteString)
      .toSorted()
  return {
    lstat: async (path) => await Promise.resolve(lstat(path)),
    list: async (path) => await Promise.resolve(list(path)),
    read: async function* (path) {
      yield await Promise.resolve(bodies.get(path) ?? Buffer.alloc(0))
    },
    sha256: () => undefined,
  }
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** An OCI layout with an image that has no layers and a label `from=layout`, under the tag `v1`. */
export function labelledLayout(): FileTree {
  const files: Record<string, string> = {}
  const put = (mediaType: string, value: object) => {
    const text = JSON.stringify(value)
    const digest = digestOf(Buffer.from(text))
    files[`blobs/sha256/${digestHex(parseDigest(digest))}`] = text
    return { mediaType, digest, size: text.length }
  }
  const { os, architecture } = hostPlatform()
  const rootfs = { type: 'layers', diff_ids: [] }
  const configuration = { os, architecture, rootfs, config: { Labels: { from: 'layout' } } }
  const config = put('application/vnd.oci.image.config.v1+json', configuration)
  const manifest = put(MEDIA_TYPES.ociManifest, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] })
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' }
  files['index.json'] = JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] })
  return memoryTree(files)
}
