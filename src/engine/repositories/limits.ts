/** A manifest lists at most some thousand layers; the specification asks registries to take at least this much. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

/** Uploads that nobody ends: beyond this a client that opens them without end is the only explanation. */
export const MAX_UPLOADS = 10_000

/** An upload that nothing was added to for so long is given up: slow links send something every minute. */
export const UPLOAD_IDLE_MS = 24 * 3_600_000

/**
 * Blobs that no manifest names are kept so long: a push sends all of its blobs before its manifest, and on a slow line the first is there for
 * hours before the last.
 */
export const BLOB_GRACE_MS = 24 * 3_600_000

/** Names or descriptors in one answer. */
export const MAX_PAGE = 1000

export const MAX_USERS = 10_000
export const MAX_GRANTS = 100
