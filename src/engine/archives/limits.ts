/** A local file system answers within this; one of another machine that is gone would never. */
export const STALL_MS = 60_000

/** A container that does not run cannot start while it is copied from: who neither reads nor sends for so long has left. */
export const IDLE_CLIENT_MS = 30_000

/** Of one frame: as the other side has it. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024

/** Bodies travel in pieces of this size. */
export const CHUNK_BYTES = 64 * 1024

/** User databases larger than this are none. */
export const MAX_DATABASE_BYTES = 1024 * 1024

/** What the confined program says when it fails in a way it has no frame for. */
export const MAX_COMPLAINT_BYTES = 4096
