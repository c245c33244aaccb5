import type { Readable } from 'node:stream'

import type { Digest } from '#base'
import type { VerifiableDigest } from '#oci/digest'
import type { LayerCompression } from '#oci/image'

import type { ByteSource } from './decompress.ts'

export interface StoredBlob {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** What the bytes must be; absent parts are not checked. */
export interface IngestOptions {
  readonly digest?: VerifiableDigest | Digest
  readonly sizeBytes?: number
  /** Default: MAX_BLOB_BYTES. */
  readonly maxBytes?: number
  /** Names the bytes in messages. */
  readonly what?: string
  /** Called when all is checked, just before the blob appears (or turns out to be there already): the place to take a lock on the digest. */
  readonly beforeVisible?: (digest: Digest) => Promise<void>
}

export interface LayerIngestOptions extends IngestOptions {
  /** Default: looked up in the first bytes. */
  readonly compression?: LayerCompression
  /** Digest of the uncompressed tar. */
  readonly diffId?: Digest
  readonly onProgress?: (takenBytes: number) => void
  /** Sees the uncompressed bytes go by, not yet checked; it must neither keep nor change them, nor throw. */
  readonly onPlain?: (chunk: Uint8Array) => void
}

export interface StoredLayer {
  /** The uncompressed tar, which is what is stored. */
  readonly diffId: Digest
  readonly sizeBytes: number
  /** The bytes as they came. */
  readonly source: StoredBlob
  readonly compression: LayerCompression
}

/**
 * Blobs by digest. A digest is there or it is not: bytes become visible, flushed to the disk, only after they were checked against all that
 * was promised of them. Errors of every ingest: `digest.mismatch`, `digest.size_mismatch`, `content.too_large`, `content.disk_full`, and
 * whatever the source throws; each leaves nothing behind.
 */
export interface ContentStore {
  ingest(source: ByteSource, options?: IngestOptions): Promise<StoredBlob>
  /** Stores the uncompressed tar. Further errors: `content.compression_invalid`, `content.compression_unsupported`, `content.bomb`. */
  ingestLayer(source: ByteSource, options?: LayerIngestOptions): Promise<StoredLayer>
  put(bytes: Uint8Array): Promise<StoredBlob>
  /**
   * Takes a file of the same file system in whose digest is known already: `move` it, or `link` one that stays where it is and never
   * changes, so that its bytes are on the disk once. The caller answers for the digest.
   */
  adopt(path: string, digest: Digest, how: 'move' | 'link'): Promise<StoredBlob>
  stat(digest: Digest): StoredBlob | undefined
  /** Where the blob's file is; it must not be changed. Error: `content.not_found`. */
  path(digest: Digest): string
  /** Bytes from `startByte` up to, not including, `endByte`. Errors: `content.not_found`, `content.range_invalid`. */
  open(digest: Digest, range?: { readonly startByte: number; readonly endByte: number }): Readable
  /** The whole blob. Errors: `content.not_found`, `content.too_large`. */
  read(digest: Digest, maxBytes: number): Promise<Buffer>
  /** Reads it again and compares. Error: `content.corrupt`. */
  verify(digest: Digest): Promise<void>
  /** Absent is fine. */
  delete(digest: Digest): Promise<void>
  list(): Promise<readonly StoredBlob[]>
  /** Removes what a crash left half made. Before anything else is called. */
  recover(): Promise<void>
}
