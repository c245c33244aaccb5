/**
 * The documents of an image: manifest, index and configuration, of the OCI image specification and of Docker's schema 2. Reading is strict
 * and bounded (no key twice, no document that is two things at once, no type that differs from the one announced), writing is deterministic.
 */
export { historyFits, parseImageConfig, writeImageConfig, type ImageConfig, type ImageHistory } from './config.ts'
export type { Descriptor } from './descriptor.ts'
export { imageFormatError } from './errors.ts'
export { isObject, parseStrictJson, type JsonObject } from './json.ts'
export { MAX_CONFIG_BYTES, MAX_INDEX_DEPTH, MAX_LAYERS, MAX_MANIFEST_BYTES } from './limits.ts'
export { parseManifest, type ImageIndex, type ImageManifest } from './manifest.ts'
export {
  isImageConfigType,
  isIndexType,
  isManifestType,
  layerCompression,
  MEDIA_TYPES,
  type LayerCompression,
} from './media-types.ts'
export { choosePlatform, formatPlatform, hostPlatform, parsePlatform, platform, type Platform } from './platform.ts'
export {
  emptyProcessConfig,
  readProcessConfig,
  writeProcessConfig,
  type ImageHealthcheck,
  type ImageProcessConfig,
} from './process-config.ts'
export { writeIndex, writeManifest, writePlatform, type WrittenDescriptor } from './write-manifest.ts'
