/** Everything in a tar is 512-byte blocks (POSIX.1-2017, pax, "ustar Interchange Format"). */
export const BLOCK_BYTES = 512

/** NAME_MAX of Linux: no file system here stores a longer component. */
export const MAX_NAME_BYTES = 255

/** PATH_MAX of Linux without its NUL: longer paths could not be opened by name. */
export const MAX_PATH_BYTES = 4095

/** Symlink targets have PATH_MAX as their limit too. */
export const MAX_LINK_BYTES = 4095

/** Real trees stay below 50; it bounds every walk. */
export const MAX_DEPTH = 1024

/** One pax or GNU long-name header. 64 KiB per attribute is the kernel's limit; 1 MiB leaves room for several and a long path. */
export const MAX_EXTENDED_HEADER_BYTES = 1024 * 1024

/** Attribute value limit of Linux (XATTR_SIZE_MAX is 65,536; formats with a 16-bit length hold one less). */
export const MAX_XATTR_BYTES = 65_535

/** Attribute name limit of Linux, prefix included. */
export const MAX_XATTR_NAME_BYTES = 255

/** Attributes of one entry: real ones have a handful, and one that repeats is looked for in a list. */
export const MAX_XATTRS = 256

/** The largest images known have some 500,000 files in a layer. */
export const MAX_ENTRIES = 2_000_000

/** Sum of names, link targets and attributes of one archive: what a reader may have to keep in memory. */
export const MAX_METADATA_BYTES = 512 * 1024 * 1024

/** Zero blocks after the end marker; GNU tar fills up to its record size, 10 KiB unless told otherwise. */
export const MAX_TRAILER_BYTES = 16 * 1024 * 1024

/** 4294967295 is -1 for chown(2): "leave as it is". */
export const MAX_ID = 4_294_967_294
