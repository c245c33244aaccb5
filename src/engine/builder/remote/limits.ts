/** A file over HTTP, or the files of a commit: as much as an archive may unpack to. */
export const MAX_REMOTE_BYTES = 8 * 1024 ** 3
/** As browsers have it, or fewer. */
export const MAX_REDIRECTS = 10
/** Nothing comes for so long: the other end is gone. */
export const IDLE_TIMEOUT_MS = 60_000
/** A whole file or repository. */
export const FETCH_TIMEOUT_MS = 30 * 60_000
/** Refs, and paths of a tree: 1,000,000 files with names of usual length. */
export const MAX_LISTING_BYTES = 256 * 1024 * 1024
/** What git complains of is shown. */
export const MAX_COMPLAINT_BYTES = 8 * 1024
/** Files in the tree of a commit, as in a build context. */
export const MAX_TREE_FILES = 1_000_000
/** Repositories within repositories: more is one that holds itself. */
export const MAX_SUBMODULE_DEPTH = 8
/** Of one tree, with those of its submodules. */
export const MAX_SUBMODULES = 100
/** What xz may take to decompress: its highest preset needs 65 MiB, others may ask for gigabytes. */
export const XZ_MEMORY_BYTES = 512 * 1024 * 1024
