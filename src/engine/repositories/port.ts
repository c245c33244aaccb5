import type { Readable } from 'node:stream'

import type { Digest } from '#base'
import type { VerifiableDigest } from '#oci/digest'

/** One page of names in byte order. */
export interface Page {
  readonly names: readonly string[]
  /** More follow. */
  readonly hasMore: boolean
}

export interface PageRequest {
  /** Names after this one; it need not exist. */
  readonly after?: string
  readonly limit: number
}

export interface ManifestRecord {
  readonly digest: string
  readonly mediaType: string
  readonly sizeBytes: number
  readonly tags: readonly string[]
  readonly pushedAtMs: number
}

export interface StoredManifest {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

/** What `GET referrers` lists of a manifest that names a subject. */
export interface Referrer {
  readonly digest: string
  readonly mediaType: string
  readonly sizeBytes: number
  readonly artifactType: string
  readonly annotations: Readonly<Record<string, string>>
}

export interface PutManifest {
  /** As announced; null: only the document says. */
  readonly mediaType: string | null
  readonly bytes: Buffer
  /** What the address said; the bytes must have it. */
  readonly digest?: VerifiableDigest
  readonly tags: readonly string[]
  /** Of another registry, whose blobs come when they are asked for. */
  readonly isCopy?: boolean
}

export interface PutResult {
  readonly digest: string
  /** Digest of the subject, when the manifest names one. */
  readonly subject: string | undefined
}

export interface BlobStat {
  readonly digest: string
  readonly sizeBytes: number
}

export interface UploadStat {
  readonly id: string
  /** Bytes received so far. */
  readonly sizeBytes: number
}

export interface AppendOptions {
  /** Where the client believes these bytes begin. Undefined: at the end, wherever that is. */
  readonly startByte?: number
  /** How many bytes it promises. */
  readonly sizeBytes?: number
}

/**
 * Repositories of a registry: manifests, tags and blobs (distribution-spec 1.1). A repository exists while something is in it. What a manifest
 * names is there as long as the manifest is. Every change is durable when it returns; a kill at any moment leaves what was acknowledged.
 * Errors: `repository.*`, `digest.mismatch`, `content.disk_full`.
 */
export interface Repositories {
  list(page: PageRequest): Page
  /** Error: `repository.unknown`. */
  tags(name: string, page: PageRequest): Page
  manifests(name: string): readonly ManifestRecord[]
  /** `reference`: a tag or a digest. Error: `repository.manifest_unknown`. */
  getManifest(name: string, reference: string): Promise<StoredManifest>
  statManifest(name: string, reference: string): ManifestRecord
  /** Errors: `repository.manifest_invalid`, `repository.manifest_blob_unknown`, `digest.mismatch`. */
  putManifest(name: string, put: PutManifest): Promise<PutResult>
  /** A tag takes the name alone, a digest the manifest with all of its tags. */
  /** Error: `repository.manifest_in_use` while an index names it. */
  deleteManifest(name: string, reference: string): Promise<void>
  referrers(name: string, digest: string, artifactType: string | undefined): readonly Referrer[]

  statBlob(name: string, digest: string): BlobStat
  /** Where the bytes of a blob are, never to be changed; gone as soon as the blob is, except for who has it open. */
  blobFile(name: string, digest: string): { readonly path: string; readonly sizeBytes: number }
  openBlob(name: string, digest: string, range?: { readonly startByte: number; readonly endByte: number }): Readable
  /** Error: `repository.blob_in_use` while a manifest names it. */
  deleteBlob(name: string, digest: string): Promise<void>
  /** Takes a blob of another repository over; false when that one does not have it. */
  mountBlob(name: string, digest: string, from: string): boolean
  /** The repositories that hold a blob: whoever may read one of them may have it mounted. */
  homesOf(digest: string): readonly string[]

  startUpload(name: string): Promise<UploadStat>
  statUpload(name: string, id: string): Promise<UploadStat>
  /** Errors: `repository.upload_out_of_order`, `repository.upload_busy`. */
  appendUpload(name: string, id: string, source: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<UploadStat>
  /** Checks the digest and makes it a blob. Errors: `digest.mismatch` (the upload is gone then). */
  finishUpload(name: string, id: string, digest: VerifiableDigest): Promise<BlobStat>
  cancelUpload(name: string, id: string): Promise<void>

  /**
   * Ends an upload with bytes that are a file of this file system already: shared, not copied. The caller answers for the digest. False when
   * there is no such upload.
   */
  adoptUpload(name: string, id: string, file: { readonly path: string; readonly digest: Digest }): Promise<boolean>

  collect(options: CollectOptions): Promise<CollectReport>
  usage(): { readonly blobCount: number; readonly sizeBytes: number }
  recover(): Promise<void>
}

export interface RetentionRule {
  /** Repositories, as a pattern with `*` (within one part of the name) and `**`. */
  readonly repositories: string
  /** So many tags stay, those pushed last. */
  readonly keepLast?: number
  /** Tags whose name matches stay whatever their age, as a pattern with `*`. */
  readonly keepTags?: readonly string[]
  /** Tags younger than this stay. */
  readonly keepYoungerMs?: number
  /** Manifests without a tag go when they are older than this. */
  readonly untaggedAfterMs?: number
}

export interface CollectOptions {
  readonly rules: readonly RetentionRule[]
  readonly isDryRun?: boolean
}

export interface CollectedItem {
  readonly kind: 'tag' | 'manifest' | 'blob' | 'upload'
  readonly repository: string
  readonly name: string
  readonly reason: string
}

export interface CollectReport {
  readonly removed: readonly CollectedItem[]
  readonly reclaimedBytes: number
}
