/*
 * Types and functions that the parts of `glovebox-shim archive` share: files in and out of a container's root.
 *
 *   archive.c         arguments, the way into the root, and `stat`
 *   archive-read.c    `get`: a tree as frames
 *   archive-write.c   `put`: frames as a tree
 *   archive-frames.c  leaves
 *
 * A frame is a type, the payload's length (u32) and the payload. Numbers are little-endian.
 */
#ifndef GLOVEBOX_ARCHIVE_H
#define GLOVEBOX_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
  ARCHIVE_STAT = 'S',
  ARCHIVE_ENTRY = 'E',
  ARCHIVE_BYTES = 'D',
  ARCHIVE_END = 'Z',
  ARCHIVE_FAILED = 'X',
};

/* What a failure is about: the daemon turns it into an error of its own. */
enum {
  AT_PATH = 'p',     /* the path that was asked for */
  AT_KIND = 'k',     /* a directory would replace something else, or the other way round */
  AT_READ_ONLY = 'r',
  AT_ENTRY = 'e',    /* one entry */
  AT_ENTRANCE = 'i', /* the way into the root: not the user's doing */
};

#define ARCHIVE_FRAME_HEADER 5
/* One read or write of a file. */
#define ARCHIVE_CHUNK (64 * 1024)
/* An entry with its name and attributes: the daemon's tar reader takes no more than 1 MiB of them. */
#define ARCHIVE_FRAME_MAX (4u * 1024 * 1024)
/* mode uid gid major minor flags size mtime-seconds mtime-nanoseconds path-length link-length attributes */
#define ARCHIVE_ENTRY_FIXED 56
#define ARCHIVE_FLAG_HARDLINK 1u
/* As the daemon's own walks. */
#define ARCHIVE_DEPTH_MAX 1024

/* ---- archive-frames.c ---- */

void put_u32(uint8_t *out, uint32_t value);
void put_u64(uint8_t *out, uint64_t value);
uint32_t get_u32(const uint8_t *in);
uint64_t get_u64(const uint8_t *in);
/* Ends the process when nobody reads any more. */
void send_archive_frame(uint8_t type, const void *payload, size_t length);
/* Reads the next frame into a buffer that grows. Ends the process when the other side is gone. */
uint8_t receive_archive_frame(uint8_t **payload, size_t *room, size_t *length);
/* Tells the daemon and ends the process. `error` is an errno. */
_Noreturn void archive_fail(uint8_t about, int error, const char *doing, const char *path);
/* Attributes that pass in either direction: what overlayfs and security modules keep for themselves does not. */
bool is_portable_xattr(const char *name);

/* ---- the modes ---- */

void archive_send_stat(const struct stat *stat, const char *link_target);
void archive_read(const char *path, bool only_stat);
/* Files on this device are as good as not there for `archive_read`. */
void archive_hide_device(dev_t device);
void archive_write(const char *path, bool keeps_kinds);
int archive_main(int argc, char **argv);

#endif
