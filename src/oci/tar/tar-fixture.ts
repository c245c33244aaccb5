import fc from 'fast-check'

import { bytesOfBuffer, type ByteString } from './bytes.ts'
import type { TarEntry, TarEntryInit } from './entry.ts'
import { scanTar, tarPushScanner } from './scan.ts'

/** For tests: all entries of an archive in memory. */
export function scanBuffer(tar: Buffer): TarEntry[] {
  return [...scanTar((buffer, position) => tar.copy(buffer, 0, position), tar.length)]
}

/** For tests: the same, pushed in chunks. */
export function pushBuffer(tar: Buffer, chunkBytes: (at: number) => number): TarEntry[] {
  const entries: TarEntry[] = []
  const scanner = tarPushScanner((entry) => entries.push(entry))
  for (let at = 0; at < tar.length;) {
    const size = Math.max(1, chunkBytes(at))
    scanner.push(tar.subarray(at, at + size))
    at += size
  }
  scanner.end()
  return entries
}

/** Plain objects, so that they compare equal to what is read. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>
}

const nameByte = fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f)

/** A component that is neither empty nor dots. */
const anyName: fc.Arbitrary<ByteString> = fc
  .oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
    {
      weight: 2,
      arbitrary: fc.array(nameByte, { minLength: 1, maxLength: 40 }).map((bytes) => bytesOfBuffer(Buffer.from(bytes)) as string),
    },
    { weight: 1, arbitrary: fc.integer({ min: 90, max: 255 }).map((length) => 'n'.repeat(length)) },
  )
  .filter((name) => name !== '.' && name !== '..' && !name.startsWith('.wh.')) as fc.Arbitrary<ByteString>

const anyPath: fc.Arbitrary<ByteString> = fc
  .array(anyName, { minLength: 1, maxLength: 6 })
  .map((names) => names.join('/') as ByteString)

const anyXattr = record({
  name: fc.stringMatching(/^(user|trusted|security)\.[a-z]{1,20}$/) as fc.Arbitrary<unknown> as fc.Arbitrary<ByteString>,
  value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
})

const anyXattrs = fc.uniqueArray(anyXattr, { maxLength: 4, selector: ({ name }) => name })

const common = {
  path: anyPath,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 4_294_967_294 })),
  gid: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 4_294_967_294 })),
  mtimeS: fc.oneof(fc.integer({ min: 0, max: 2 ** 33 }), fc.integer({ min: -(2 ** 33), max: 2 ** 36 })),
  mtimeNs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
  xattrs: anyXattrs,
}

const linkname = fc.oneof(
  anyPath,
  anyPath.map((path) => `/../${path}` as ByteString),
)
const device = { devMajor: fc.integer({ min: 1, max: 0xfff }), devMinor: fc.integer({ min: 0, max: 0xfffff }) }

/** Every kind of entry with every field; files have a size but their bodies are the caller's. */
export const anyEntry: fc.Arbitrary<TarEntryInit> = fc.oneof(
  record({
    ...common,
    type: fc.constant('file' as const),
    size: fc.oneof(fc.constantFrom(0, 1, 511, 512, 513), fc.nat(3000)),
  }),
  record({ ...common, type: fc.constant('directory' as const) }),
  record({ ...common, type: fc.constant('symlink' as const), linkname }),
  record({ ...common, type: fc.constant('hardlink' as const), linkname: anyPath }),
  record({ ...common, type: fc.constantFrom('char' as const, 'block' as const), ...device }),
  record({ ...common, type: fc.constant('fifo' as const) }),
)
