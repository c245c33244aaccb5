/** Hashing a chunk of this size takes 0.2 ms, which is how long the daemon's loop may be held at a time; larger ones gain nothing. */
export const CHUNK_BYTES = 256 * 1024
/** Written in one go: enough for the full speed of a disk, and a multiple of every disk's block. */
export const WRITE_BLOCK_BYTES = 1024 * 1024
/** One block is gathered while others are on their way to the disk; more would not make it faster. */
export const MAX_BLOCKS_IN_MEMORY = 3

/** One blob. The largest known layers (machine-learning models) have some 40 GiB. */
export const MAX_BLOB_BYTES = 256 * 1024 ** 3

/** Nothing is suspicious below this size, however well it compresses. */
export const RATIO_FREE_BYTES = 256 * 1024 ** 2
/** Real layers compress 2 to 20 times, ones of mostly zeros far more; gzip can do 1,032 and zstd far more at most. */
export const MAX_RATIO = 250
/** Base-2 logarithm of the window that a zstd frame may ask us to hold: 128 MiB, what the zstd program accepts by default. */
export const MAX_ZSTD_WINDOW_LOG = 27
