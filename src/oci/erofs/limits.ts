/** MAXSYMLINKS of Linux: a name that needs more links than this could not be opened either. */
export const MAX_SYMLINK_HOPS = 40

/** Components looked at while names are followed, for a whole layer: honest layers need some ten for each entry. */
export const MAX_WALK_STEPS = 100_000_000

/** Chunk addresses count 512-byte blocks in 32 bits: 2 TiB of tar. */
export const MAX_CONTENT_BLOCKS = 0xffff_ffff

/** `i_xattr_icount` has 16 bits and counts 4-byte units after a 12-byte header. */
export const MAX_XATTR_IBODY_BYTES = 12 + 4 * 65_534

/** Linux keeps a device number as 12 bits of major and 20 of minor. */
export const MAX_DEVICE_MAJOR = 0xfff
export const MAX_DEVICE_MINOR = 0xf_ffff
