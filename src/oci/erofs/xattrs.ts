import { bytesOfBuffer, type ByteString, type TarXattr } from '#oci/tar'

import { layerError } from './errors.ts'
import { MAX_SHARED_XATTRS, XATTR_ENTRY_BYTES, XATTR_HEADER_BYTES } from './format.ts'
import { MAX_XATTR_IBODY_BYTES } from './limits.ts'

/** EROFS stores well-known prefixes as a number. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
]
const WHOLE_NAMES: ReadonlyMap<string, number> = new Map([
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
])

function encodeXattr({ name, value }: TarXattr): Buffer {
  const [index, suffix] = splitXattrName(name)
  const used = XATTR_ENTRY_BYTES + suffix.length + value.length
  const out = Buffer.alloc(align4(used))
  out.writeUInt8(suffix.length, 0)
  out.writeUInt8(index, 1)
  out.writeUInt16LE(value.length, 2)
  out.write(suffix, 4, 'latin1')
  value.copy(out, 4 + suffix.length)
  return out
}

function splitXattrName(name: ByteString): readonly [number, string] {
  const whole = WHOLE_NAMES.get(name)
  if (whole !== undefined) return [whole, '']
  for (const [prefix, index] of PREFIXES) if (name.startsWith(prefix)) return [index, name.slice(prefix.length)]
  throw layerError('layer.limit', `attribute ${name} has no place in EROFS`)
}

/** What follows an inode: the numbers of shared attributes, then its own ones. */
export interface XattrBody {
  readonly sharedIds: readonly number[]
  readonly inline: readonly Buffer[]
  readonly bytes: number
}

/** Attributes that several inodes have are written once, in a shared area. Call `count` for all inodes first, then `body`. */
export interface XattrPool {
  count(xattrs: readonly TarXattr[]): void
  body(xattrs: readonly TarXattr[]): XattrBody | undefined
  /** The shared area, in the order of its ids. */
  shared(): readonly Buffer[]
  sharedBytes(): number
}

export function xattrPool(): XattrPool {
  const uses = new Map<string, { count: number; id: number | undefined }>()
  const shared: Buffer[] = []
  let sharedBytes = 0
  const useOf = (xattr: TarXattr) => {
    const key = `${xattr.name}\x00${bytesOfBuffer(xattr.value)}`
    const use = uses.get(key) ?? { count: 0, id: undefined }
    uses.set(key, use)
    return use
  }
  const sharedId = (xattr: TarXattr): number | undefined => {
    const use = useOf(xattr)
    if (use.count < 2) return undefined
    if (use.id === undefined) {
      const encoded = encodeXattr(xattr)
      use.id = sharedBytes / 4
      shared.push(encoded)
      sharedBytes += encoded.length
    }
    return use.id
  }
  return {
    count: (xattrs) => {
      for (const xattr of xattrs) useOf(xattr).count += 1
    },
    body: (xattrs) => {
      if (xattrs.length === 0) return undefined
      const sharedIds: number[] = []
      const inline: Buffer[] = []
      for (const xattr of xattrs) {
        const id = sharedIds.length < MAX_SHARED_XATTRS ? sharedId(xattr) : undefined
        if (id === undefined) inline.push(encodeXattr(xattr))
        else sharedIds.push(id)
      }
      const bytes = XATTR_HEADER_BYTES + 4 * sharedIds.length + inline.reduce((sum, entry) => sum + entry.length, 0)
      if (bytes > MAX_XATTR_IBODY_BYTES)
        throw layerError('layer.limit', `attributes of one file take ${bytes} bytes, more than ${MAX_XATTR_IBODY_BYTES}`)
      return { sharedIds, inline, bytes }
    },
    shared: () => shared,
    sharedBytes: () => sharedBytes,
  }
}

function align4(bytes: number): number {
  return (bytes + 3) & ~3
}
