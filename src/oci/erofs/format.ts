/**
 * The EROFS on-disk format, as far as a metadata-only index needs it (Linux, fs/erofs/erofs_fs.h and
 * Documentation/filesystems/erofs.rst). All numbers are little endian.
 */
export const BLOCK_BITS = 9
/** As the tar's, so that a file's bytes in the tar start on a block of the file system. Linux takes this size since 6.4. */
export const BLOCK_BYTES = 1 << BLOCK_BITS

export const SUPER_OFFSET = 1024
const SUPER_BYTES = 128
export const SUPER_MAGIC = 0xe0f5_e1e2
export const DEVICE_SLOT_BYTES = 128
/** Right behind the superblock. */
export const DEVICE_SLOT_OFFSET = SUPER_OFFSET + SUPER_BYTES

export const COMPAT_SB_CHECKSUM = 0x1
export const COMPAT_MTIME = 0x2
export const INCOMPAT_CHUNKED_FILE = 0x4
export const INCOMPAT_DEVICE_TABLE = 0x8

/** Inode numbers count slots of this size. */
export const INODE_SLOT_BYTES = 32
export const COMPACT_BYTES = 32
export const EXTENDED_BYTES = 64

export const LAYOUT_FLAT_PLAIN = 0
export const LAYOUT_FLAT_INLINE = 2
export const LAYOUT_CHUNK_BASED = 4

export const CHUNK_FORMAT_INDEXES = 0x20
/** Five bits over the block size. */
export const MAX_CHUNK_SHIFT = 31
export const CHUNK_INDEX_BYTES = 8
/** Devices count from 1; 0 is the index file itself. */
export const TAR_DEVICE = 1

export const DIRENT_BYTES = 12
export const XATTR_HEADER_BYTES = 12
export const XATTR_ENTRY_BYTES = 4
/** `h_shared_count` has 8 bits. */
export const MAX_SHARED_XATTRS = 255

export const NO_BLOCK = 0xffff_ffff

export const MODE_BITS = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const

/** Generic FT_* numbers of Linux. */
export const DIRENT_TYPES = { file: 1, directory: 2, char: 3, block: 4, fifo: 5, symlink: 7 } as const
