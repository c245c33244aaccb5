/**
 * Tar archives as values: a scanner that reads the structure and never the bodies, from a stream or from a file by position, and a
 * writer whose bytes depend on nothing but the entries. The scanner is strict: where tar readers disagree (sizes given twice, sparse
 * files, bytes after the end, names with `..`), it stops with a `tar.*` error that names the entry and its offset. It never
 * touches a path.
 */
export { bufferOfBytes, bytesOfBuffer, bytesOfText, EMPTY_BYTES, textOfBytes, type ByteString } from './bytes.ts'
export type { TarEntry, TarEntryInit, TarEntryType, TarXattr } from './entry.ts'
export { tarError } from './errors.ts'
export {
  BLOCK_BYTES,
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_LINK_BYTES,
  MAX_NAME_BYTES,
  MAX_PATH_BYTES,
  MAX_XATTR_BYTES,
  MAX_XATTRS,
} from './limits.ts'
export { packTar, type TarMember } from './pack.ts'
export { normalizePath, type NormalPath } from './path.ts'
export { scanTar, tarPushScanner, type ReadAt, type TarPushScanner } from './scan.ts'
export { streamTar, type StreamedEntry } from './stream.ts'
export { TAR_END, tarHeader, tarPadding } from './write.ts'
