/**
 * Content: blobs by digest, in one file each. Nothing is visible before its digest was checked and its bytes are on the disk;
 * what a crash left half made is gone after `recover`. Layers are kept as plain tars, decompressed and checked in one pass.
 */
export { fileAppender } from './append.ts'
export { createContent, readRange } from './content.ts'
export { decompressed, decompressedOnce, peek, sniff, type ByteSource } from './decompress.ts'
export { chunksOf } from './chunks-of.ts'
export { contentError, writeFailure } from './errors.ts'
export { givingBack } from './give-back.ts'
export { CHUNK_BYTES, MAX_BLOB_BYTES, MAX_RATIO, RATIO_FREE_BYTES } from './limits.ts'
export type { ContentStore, IngestOptions, LayerIngestOptions, StoredBlob, StoredLayer } from './port.ts'
export { fileWriter, type FileWriter } from './writer.ts'
