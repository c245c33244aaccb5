#define _GNU_SOURCE
#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
/* XATTR_LIST_MAX and XATTR_SIZE_MAX */
#define XATTR_ROOM 65536
/* All attributes of one entry; more would not fit the archive's header either. */
#define XATTRS_MAX_BYTES (512 * 1024)
/* Names of files with several links, of one archive. Past this they are stored as copies. */
#define LINKS_MAX (1u << 20)

static uint8_t entry[ARCHIVE_ENTRY_FIXED + 2 * PATH_MAX + XATTRS_MAX_BYTES + XATTR_ROOM + 512];
static char path[PATH_MAX];
static bool starts_at_root;

static bool has_hidden_device;
static dev_t hidden_device;

void archive_hide_device(dev_t device) {
  has_hidden_device = true;
  hidden_device = device;
}

/* Secrets of a running container: what is in memory only must not get into an archive. */
static bool is_hidden(const struct stat *stat) { return has_hidden_device && stat->st_dev == hidden_device; }

struct first_link {
  dev_t device;
  ino_t inode;
  char *path;
};

static struct first_link *links;
static size_t link_room, link_count;

static size_t slot_of(const struct stat *stat, size_t room) {
  uint64_t key = (uint64_t)stat->st_ino * 0x9e3779b97f4a7c15u ^ (uint64_t)stat->st_dev;
  size_t slot = (size_t)(key >> 20) & (room - 1);
  return slot;
}

static struct first_link *find_link(const struct stat *stat) {
  size_t slot = slot_of(stat, link_room);
  while (links[slot].path != NULL && (links[slot].inode != stat->st_ino || links[slot].device != stat->st_dev))
    slot = (slot + 1) & (link_room - 1);
  return &links[slot];
}

static bool grow_links(void) {
  size_t old_room = link_room;
  struct first_link *old = links;
  link_room = old_room == 0 ? 1024 : old_room * 2;
  links = calloc(link_room, sizeof *links);
  if (links == NULL) return false;
  for (size_t i = 0; i < old_room; i++) {
    if (old[i].path == NULL) continue;
    struct stat stat = {.st_dev = old[i].device, .st_ino = old[i].inode};
    *find_link(&stat) = old[i];
  }
  free(old);
  return true;
}

/* The name under which the file is in the archive already, or NULL: then this is its first. */
static const char *earlier_name(const struct stat *stat) {
  if (stat->st_nlink < 2 || link_count >= LINKS_MAX) return NULL;
  if (2 * link_count >= link_room && !grow_links()) archive_fail(AT_ENTRANCE, ENOMEM, "remember links", "");
  struct first_link *found = find_link(stat);
  if (found->path != NULL) return found->path;
  *found = (struct first_link){stat->st_dev, stat->st_ino, strdup(path)};
  if (found->path == NULL) archive_fail(AT_ENTRANCE, ENOMEM, "remember links", "");
  link_count++;
  return NULL;
}

/* Attributes behind the entry's names; their number goes to `count`. Returns the end. */
static size_t add_xattrs(int fd, size_t end, uint32_t *count) {
  static char names[XATTR_ROOM];
  static uint8_t value[XATTR_ROOM];
  size_t start = end;
  ssize_t listed = fd < 0 ? 0 : flistxattr(fd, names, sizeof names);
  for (char *name = names; listed > 0 && name < names + listed; name += strlen(name) + 1) {
    if (!is_portable_xattr(name)) continue;
    ssize_t length = fgetxattr(fd, name, value, sizeof value);
    size_t name_length = strlen(name);
    if (length < 0 || end - start + name_length + (size_t)length > XATTRS_MAX_BYTES) continue;
    put_u32(entry + end, (uint32_t)name_length);
    put_u32(entry + end + 4, (uint32_t)length);
    memcpy(entry + end + 8, name, name_length);
    memcpy(entry + end + 8 + name_length, value, (size_t)length);
    end += 8 + name_length + (size_t)length;
    ++*count;
  }
  return end;
}

/* `fd` is open on the entry, or -1: then it gets no attributes. */
static void send_entry(const struct stat *stat, int fd, const char *link, uint32_t flags) {
  size_t path_length = strlen(path), link_length = strlen(link);
  uint32_t xattrs = 0;
  put_u32(entry, stat->st_mode);
  put_u32(entry + 4, stat->st_uid);
  put_u32(entry + 8, stat->st_gid);
  put_u32(entry + 12, major(stat->st_rdev));
  put_u32(entry + 16, minor(stat->st_rdev));
  put_u32(entry + 20, flags);
  put_u64(entry + 24, S_ISREG(stat->st_mode) && flags == 0 ? (uint64_t)stat->st_size : 0);
  put_u64(entry + 32, (uint64_t)stat->st_mtim.tv_sec);
  put_u32(entry + 40, (uint32_t)stat->st_mtim.tv_nsec);
  put_u32(entry + 44, (uint32_t)path_length);
  put_u32(entry + 48, (uint32_t)link_length);
  memcpy(entry + ARCHIVE_ENTRY_FIXED, path, path_length);
  memcpy(entry + ARCHIVE_ENTRY_FIXED + path_length, link, link_length);
  size_t end = add_xattrs(fd, ARCHIVE_ENTRY_FIXED + path_length + link_length, &xattrs);
  put_u32(entry + 52, xattrs);
  send_archive_frame(ARCHIVE_ENTRY, entry, end);
}

/* Exactly as many bytes as were announced: a file that grows is cut there, one that shrinks ends in zeros, as with GNU tar. */
static void send_body(int fd, uint64_t left) {
  static uint8_t chunk[ARCHIVE_CHUNK];
  while (left > 0) {
    size_t wanted = left < sizeof chunk ? (size_t)left : sizeof chunk;
    ssize_t n = read(fd, chunk, wanted);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) archive_fail(AT_ENTRY, errno, "read", path);
    if (n == 0) {
      memset(chunk, 0, wanted);
      n = (ssize_t)wanted;
    }
    send_archive_frame(ARCHIVE_BYTES, chunk, (size_t)n);
    left -= (uint64_t)n;
  }
}

static void send_file(int fd, const struct stat *stat) {
  const char *earlier = earlier_name(stat);
  if (earlier != NULL) return send_entry(stat, -1, earlier, ARCHIVE_FLAG_HARDLINK);
  send_entry(stat, fd, "", 0);
  send_body(fd, (uint64_t)stat->st_size);
}

/* What the kernel shows of itself has no files to copy, and some of them never end. */
static bool is_kernel_tree(int fd) {
  static const uint32_t types[] = {
    0x9fa0 /* proc */,       0x62656572 /* sysfs */,  0x27e0eb /* cgroup */,  0x63677270 /* cgroup2 */, 0x1cd1 /* devpts */,
    0x19800202 /* mqueue */, 0x64626720 /* debugfs */, 0x74726163 /* tracefs */, 0x73636673 /* securityfs */, 0xcafe4a11 /* bpf */,
  };
  struct statfs figures;
  if (fstatfs(fd, &figures)) return false;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if ((uint32_t)figures.f_type == types[i]) return true;
  return false;
}

static void send_children(int directory, unsigned depth);

/* One name in an open directory. What vanishes or changes its kind meanwhile is passed over. */
static void send_child(int directory, const char *name, unsigned depth) {
  struct stat stat;
  if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) || is_hidden(&stat)) return;
  if (S_ISLNK(stat.st_mode)) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(directory, name, target, sizeof target - 1);
    if (length < 0) return;
    target[length] = 0;
    return send_entry(&stat, -1, target, 0);
  }
  if (S_ISSOCK(stat.st_mode)) return;
  if (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode)) {
    const char *earlier = earlier_name(&stat);
    return send_entry(&stat, -1, earlier == NULL ? "" : earlier, earlier == NULL ? 0 : ARCHIVE_FLAG_HARDLINK);
  }
  int fd = openat(directory, name, OPEN_FLAGS);
  if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO)) return;
  if (fd < 0 || fstat(fd, &stat)) archive_fail(AT_ENTRY, errno, "open", path);
  if (is_hidden(&stat)) {
    close(fd);
    return;
  }
  if (S_ISREG(stat.st_mode)) {
    send_file(fd, &stat);
  } else if (S_ISDIR(stat.st_mode)) {
    send_entry(&stat, fd, "", 0);
    /* The devices of a running container are a mount of the kernel's making as well. */
    bool is_devices = depth == 1 && starts_at_root && strcmp(name, "dev") == 0;
    if (!is_devices && !is_kernel_tree(fd)) send_children(fd, depth + 1);
  }
  close(fd);
}

static void send_children(int directory, unsigned depth) {
  if (depth > ARCHIVE_DEPTH_MAX) archive_fail(AT_ENTRY, ENAMETOOLONG, "walk: too many levels in", path);
  int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = again < 0 ? NULL : fdopendir(again);
  if (listing == NULL) archive_fail(AT_ENTRY, errno, "list", path);
  size_t length = strlen(path);
  for (struct dirent *item; (item = readdir(listing)) != NULL;) {
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
    size_t name_length = strlen(item->d_name);
    if (length + 1 + name_length >= sizeof path) archive_fail(AT_ENTRY, ENAMETOOLONG, "walk", path);
    char *end = path + length;
    if (length > 0) *end++ = '/';
    memcpy(end, item->d_name, name_length + 1);
    send_child(directory, item->d_name, depth);
    path[length] = 0;
  }
  closedir(listing);
}

/* Where a link leads in the end; for a broken one as far as it goes. */
static const char *link_target(const char *from) {
  static char resolved[PATH_MAX];
  if (realpath(from, resolved) == NULL && errno != ENOENT) return "";
  return resolved;
}

static int open_start(const char *start, struct stat *stat) {
  if (lstat(start, stat)) archive_fail(AT_PATH, errno, "look at", start);
  if (is_hidden(stat)) archive_fail(AT_PATH, ENOENT, "look at", start);
  if (!S_ISREG(stat->st_mode) && !S_ISDIR(stat->st_mode)) return -1;
  /* A path that ends in a slash means what the link before it leads to. */
  int flags = S_ISDIR(stat->st_mode) ? OPEN_FLAGS & ~O_NOFOLLOW : OPEN_FLAGS;
  int fd = open(start, flags);
  if (fd < 0 || fstat(fd, stat)) archive_fail(AT_PATH, errno, "open", start);
  if (is_hidden(stat)) archive_fail(AT_PATH, ENOENT, "open", start);
  return fd;
}

void archive_read(const char *start, bool only_stat) {
  struct stat stat;
  int fd = open_start(start, &stat);
  bool is_link = S_ISLNK(stat.st_mode);
  archive_send_stat(&stat, is_link ? link_target(start) : "");
  if (only_stat) return;
  if (is_link) {
    char target[PATH_MAX];
    ssize_t length = readlink(start, target, sizeof target - 1);
    if (length < 0) archive_fail(AT_PATH, errno, "read the link", start);
    target[length] = 0;
    send_entry(&stat, -1, target, 0);
  } else if (S_ISREG(stat.st_mode)) {
    send_file(fd, &stat);
  } else if (S_ISDIR(stat.st_mode)) {
    struct stat root;
    starts_at_root = lstat("/", &root) == 0 && root.st_dev == stat.st_dev && root.st_ino == stat.st_ino;
    send_entry(&stat, fd, "", 0);
    send_children(fd, 1);
  } else if (S_ISSOCK(stat.st_mode)) {
    archive_fail(AT_PATH, EOPNOTSUPP, "archive the socket", start);
  } else {
    send_entry(&stat, -1, "", 0);
  }
}
