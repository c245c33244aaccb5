/**
 * A layer as a file system: its entries merged into the tree that they mean, and the tree written as an EROFS index that a kernel
 * mounts over the layer's own tar. Values in, bytes out: no name from a layer ever becomes a path on the host. What one layer means
 * is decided here once, for every way of mounting it: see `layerMerge` for the rules. Errors: `layer.*`.
 */
export { layerError } from './errors.ts'
export { layerMerge, type LayerMerge } from './merge.ts'
export { readLayer } from './read-layer.ts'
export { isDirectory, isWhiteout, OPAQUE_XATTR, walkTree, type LayerDirectory, type LayerNode, type LayerTree } from './tree.ts'
export { erofsIndex, type ErofsIndexOptions } from './write.ts'
