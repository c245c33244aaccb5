/** A context is spooled to disk; more than this is a mistake such as building in the home directory. */
export const MAX_CONTEXT_BYTES = 16 * 1024 ** 3
/** What one archive of ADD may unpack to; a bomb ends here and not when the disk is full. */
export const MAX_UNPACKED_BYTES = 8 * 1024 ** 3
/** Stages are planned one inside the other, so that their number bounds the stack. */
export const MAX_STAGES = 500
/** As Linux: more links than this on the way to a file are a loop. */
export const MAX_SYMLINKS = 40
/** The user database of an image is read whole. */
export const MAX_PASSWD_BYTES = 1024 * 1024
/** A Dockerfile or ignore file is read whole. */
export const MAX_DOCKERFILE_BYTES = 4 * 1024 * 1024
/** Small chunks of headers and padding are gathered to this size before they are handed on. */
export const LAYER_CHUNK_BYTES = 256 * 1024
/** Small files are read together with their neighbours. */
export const SPOOL_WINDOW_BYTES = 1024 * 1024
/** Directory levels below one source of COPY; the kernel's longest path has no more. */
export const MAX_TREE_DEPTH = 2048
/** `EXPOSE 1-65535` is legal; more ports than there are is not. */
export const MAX_PORTS = 65_536
