#define _GNU_SOURCE
#include "archive.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Directories whose times are set at the end, when nothing is put into them any more. Further ones keep the time of extraction. */
#define DIRECTORY_TIMES_MAX (1u << 18)

struct entry {
  mode_t mode;
  uid_t uid;
  gid_t gid;
  dev_t device;
  bool is_hard_link;
  uint64_t size;
  struct timespec times[2];
  char *path; /* from the destination, without a leading slash */
  char *link;
  const uint8_t *xattrs;
  uint32_t xattr_count;
  const uint8_t *end;
};

struct directory_time {
  char *path;
  struct timespec times[2];
};

static int destination = -1;
static struct directory_time *directory_times;
static size_t directory_count, directory_room;
/* The directory that the last entry was in: the next one mostly is as well. */
static char parent_path[PATH_MAX];
static int parent = -1;

/* Links are followed as everything in this root follows them, but not those of /proc that lead through a process. */
static int open_below(int directory, const char *path) {
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static void forget_parent(void) {
  if (parent >= 0) close(parent);
  parent = -1;
}

/* Opens a directory below the destination, making what is missing. `path` is changed and restored. */
static int make_directories(char *path) {
  int at = open_below(destination, ".");
  for (char *name = path; at >= 0 && name != NULL;) {
    char *slash = strchr(name, '/');
    if (slash != NULL) *slash = 0;
    int next = open_below(at, name);
    if (next < 0 && errno == ENOENT && (mkdirat(at, name, 0755) == 0 || errno == EEXIST)) next = open_below(at, name);
    int reason = errno;
    close(at);
    errno = reason;
    at = next;
    if (slash != NULL) *slash = '/';
    name = slash == NULL ? NULL : slash + 1;
  }
  return at;
}

/* The directory that holds `path`, and the name in it. The descriptor stays ours. */
static int parent_of(char *path, const char **name) {
  char *slash = strrchr(path, '/');
  *name = slash == NULL ? path : slash + 1;
  if (slash != NULL) *slash = 0;
  const char *directory = slash == NULL ? "" : path;
  if (parent < 0 || strcmp(directory, parent_path) != 0) {
    forget_parent();
    parent = *directory == 0 ? open_below(destination, ".") : open_below(destination, directory);
    if (parent < 0 && errno == ENOENT) parent = make_directories(path);
    int reason = errno;
    if (parent >= 0) strcpy(parent_path, directory);
    errno = reason;
  }
  if (slash != NULL) *slash = '/';
  if (parent < 0) archive_fail(AT_ENTRY, errno, "open the directory of", path);
  return parent;
}

static bool remove_tree(int directory, const char *name, unsigned depth);

static bool remove_children(int directory, unsigned depth) {
  int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = again < 0 ? NULL : fdopendir(again);
  if (listing == NULL) return false;
  bool is_done = true;
  for (struct dirent *item; is_done && (item = readdir(listing)) != NULL;) {
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
    is_done = remove_tree(directory, item->d_name, depth);
  }
  int reason = errno;
  closedir(listing);
  errno = reason;
  return is_done;
}

static bool remove_tree(int directory, const char *name, unsigned depth) {
  if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  if (depth > ARCHIVE_DEPTH_MAX) {
    errno = ENAMETOOLONG;
    return false;
  }
  int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (below < 0) return false;
  bool is_empty = remove_children(below, depth + 1);
  int reason = errno;
  close(below);
  errno = reason;
  return is_empty && unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

/* Makes room for the entry: only a directory over a directory stays. True when one is there to stay. */
static bool clear_place(int directory, const char *name, const struct entry *entry, bool keeps_kinds) {
  struct stat stat;
  if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW)) {
    if (errno == ENOENT) return false;
    archive_fail(AT_ENTRY, errno, "look at", entry->path);
  }
  bool was_directory = S_ISDIR(stat.st_mode), is_directory = S_ISDIR(entry->mode) && !entry->is_hard_link;
  if (was_directory && is_directory) return true;
  if (keeps_kinds && was_directory) archive_fail(AT_KIND, EISDIR, "cannot overwrite directory with non-directory", entry->path);
  if (keeps_kinds && is_directory) archive_fail(AT_KIND, ENOTDIR, "cannot overwrite non-directory with directory", entry->path);
  if (!remove_tree(directory, name, 0)) archive_fail(AT_ENTRY, errno, "replace", entry->path);
  return false;
}

static void set_xattrs(int fd, const struct entry *entry) {
  const uint8_t *at = entry->xattrs;
  for (uint32_t i = 0; i < entry->xattr_count; i++) {
    if (entry->end - at < 8) archive_fail(AT_ENTRANCE, EPROTO, "read an attribute", entry->path);
    uint32_t name_length = get_u32(at), length = get_u32(at + 4);
    at += 8;
    if (name_length > 255 || (uint64_t)name_length + length > (uint64_t)(entry->end - at))
      archive_fail(AT_ENTRANCE, EPROTO, "read an attribute", entry->path);
    char name[256];
    memcpy(name, at, name_length);
    name[name_length] = 0;
    const uint8_t *value = at + name_length;
    at = value + length;
    /* File systems without attributes take the file without them, as dockerd does. */
    if (is_portable_xattr(name) && fsetxattr(fd, name, value, length, 0) && errno != EOPNOTSUPP && errno != EPERM)
      archive_fail(AT_ENTRY, errno, "set an attribute of", entry->path);
  }
}

/* The owner first: a change of it takes setuid away. */
static void set_metadata(int fd, const struct entry *entry) {
  if (fchown(fd, entry->uid, entry->gid)) archive_fail(AT_ENTRY, errno, "set the owner of", entry->path);
  if (fchmod(fd, entry->mode & 07777)) archive_fail(AT_ENTRY, errno, "set the mode of", entry->path);
  set_xattrs(fd, entry);
}

static void remember_times(const struct entry *entry) {
  if (directory_count >= DIRECTORY_TIMES_MAX) return;
  if (directory_count == directory_room) {
    directory_room = directory_room == 0 ? 256 : directory_room * 2;
    directory_times = realloc(directory_times, directory_room * sizeof *directory_times);
    if (directory_times == NULL) archive_fail(AT_ENTRANCE, ENOMEM, "remember a directory", entry->path);
  }
  struct directory_time *last = &directory_times[directory_count++];
  last->path = strdup(entry->path);
  if (last->path == NULL) archive_fail(AT_ENTRANCE, ENOMEM, "remember a directory", entry->path);
  memcpy(last->times, entry->times, sizeof last->times);
}

static void write_directory(int directory, const char *name, const struct entry *entry, bool is_there) {
  if (!is_there && mkdirat(directory, name, 0700)) archive_fail(AT_ENTRY, errno, "make the directory", entry->path);
  int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) archive_fail(AT_ENTRY, errno, "open the directory", entry->path);
  set_metadata(fd, entry);
  close(fd);
  remember_times(entry);
}

/* A file that cannot be written whole goes again: half a program is worse than none. */
static void write_body(int fd, uint64_t left, int directory, const char *name, const char *path) {
  static uint8_t *chunk;
  static size_t room;
  while (left > 0) {
    size_t length;
    if (receive_archive_frame(&chunk, &room, &length) != ARCHIVE_BYTES || length > left)
      archive_fail(AT_ENTRANCE, EPROTO, "read the body of", path);
    for (size_t done = 0; done < length;) {
      ssize_t n = write(fd, chunk + done, length - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        int reason = errno;
        (void)unlinkat(directory, name, 0);
        archive_fail(AT_ENTRY, reason, "write", path);
      }
      done += (size_t)n;
    }
    left -= length;
  }
}

static void write_file(int directory, const char *name, const struct entry *entry) {
  int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) archive_fail(AT_ENTRY, errno, "make the file", entry->path);
  write_body(fd, entry->size, directory, name, entry->path);
  set_metadata(fd, entry);
  if (futimens(fd, entry->times)) archive_fail(AT_ENTRY, errno, "set the times of", entry->path);
  if (close(fd)) archive_fail(AT_ENTRY, errno, "write", entry->path);
}

static void write_hard_link(int directory, const char *name, const struct entry *entry) {
  char *slash = strrchr(entry->link, '/');
  const char *from_name = slash == NULL ? entry->link : slash + 1;
  if (slash != NULL) *slash = 0;
  int from = open_below(destination, slash == NULL ? "." : entry->link);
  if (slash != NULL) *slash = '/';
  if (from < 0 || linkat(from, from_name, directory, name, 0)) archive_fail(AT_ENTRY, errno, "make the hard link", entry->path);
  close(from);
}

static void write_other(int directory, const char *name, const struct entry *entry) {
  int failed = S_ISLNK(entry->mode) ? symlinkat(entry->link, directory, name)
                                    : mknodat(directory, name, entry->mode, entry->device);
  if (failed) archive_fail(AT_ENTRY, errno, S_ISLNK(entry->mode) ? "make the link" : "make the node", entry->path);
  if (fchownat(directory, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW))
    archive_fail(AT_ENTRY, errno, "set the owner of", entry->path);
  if (utimensat(directory, name, entry->times, AT_SYMLINK_NOFOLLOW)) archive_fail(AT_ENTRY, errno, "set the times of", entry->path);
}

/* Cuts the frame up; names are terminated in place, so the lengths are read before. */
static struct entry parse_entry(uint8_t *payload, size_t length) {
  if (length < ARCHIVE_ENTRY_FIXED) archive_fail(AT_ENTRANCE, EPROTO, "read an entry", "");
  uint32_t path_length = get_u32(payload + 44), link_length = get_u32(payload + 48);
  if (path_length >= PATH_MAX || link_length >= PATH_MAX || ARCHIVE_ENTRY_FIXED + (size_t)path_length + link_length > length)
    archive_fail(AT_ENTRANCE, EPROTO, "read the names of an entry", "");
  static char path[PATH_MAX], link[PATH_MAX];
  memcpy(path, payload + ARCHIVE_ENTRY_FIXED, path_length);
  memcpy(link, payload + ARCHIVE_ENTRY_FIXED + path_length, link_length);
  path[path_length] = link[link_length] = 0;
  struct timespec time = {(time_t)get_u64(payload + 32), (long)get_u32(payload + 40)};
  return (struct entry){
    .mode = get_u32(payload),
    .uid = get_u32(payload + 4),
    .gid = get_u32(payload + 8),
    .device = makedev(get_u32(payload + 12), get_u32(payload + 16)),
    .is_hard_link = (get_u32(payload + 20) & ARCHIVE_FLAG_HARDLINK) != 0,
    .size = get_u64(payload + 24),
    .times = {time, time},
    .path = path,
    .link = link,
    .xattr_count = get_u32(payload + 52),
    .xattrs = payload + ARCHIVE_ENTRY_FIXED + path_length + link_length,
    .end = payload + length,
  };
}

static void write_entry(const struct entry *entry, bool keeps_kinds) {
  /* The destination itself is what it is. */
  if (*entry->path == 0) return;
  const char *name;
  int directory = parent_of(entry->path, &name);
  bool is_there = clear_place(directory, name, entry, keeps_kinds);
  if (entry->is_hard_link) write_hard_link(directory, name, entry);
  else if (S_ISDIR(entry->mode)) write_directory(directory, name, entry, is_there);
  else if (S_ISREG(entry->mode)) write_file(directory, name, entry);
  else write_other(directory, name, entry);
}

static void set_directory_times(void) {
  while (directory_count > 0) {
    struct directory_time *last = &directory_times[--directory_count];
    const char *name;
    /* Somebody may have moved it meanwhile: then its time is not ours to set any more. */
    char *slash = strrchr(last->path, '/');
    name = slash == NULL ? last->path : slash + 1;
    if (slash != NULL) *slash = 0;
    int directory = open_below(destination, slash == NULL ? "." : last->path);
    if (directory < 0) continue;
    (void)utimensat(directory, name, last->times, AT_SYMLINK_NOFOLLOW);
    close(directory);
  }
}

static void open_destination(const char *path) {
  destination = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (destination < 0) archive_fail(AT_PATH, errno, "open", path);
  struct statvfs figures;
  static char resolved[PATH_MAX];
  if (fstatvfs(destination, &figures) == 0 && (figures.f_flag & ST_RDONLY) != 0)
    archive_fail(AT_READ_ONLY, EROFS, "write", realpath(path, resolved) == NULL ? path : resolved);
}

void archive_write(const char *path, bool keeps_kinds) {
  open_destination(path);
  uint8_t *payload = NULL;
  size_t room = 0, length;
  for (;;) {
    uint8_t type = receive_archive_frame(&payload, &room, &length);
    if (type == ARCHIVE_END) break;
    if (type != ARCHIVE_ENTRY) archive_fail(AT_ENTRANCE, EPROTO, "read a frame", "");
    struct entry entry = parse_entry(payload, length);
    write_entry(&entry, keeps_kinds);
  }
  set_directory_times();
}
