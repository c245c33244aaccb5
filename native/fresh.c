#define _GNU_SOURCE

#include "ask.h"
#include "shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * glovebox-shim fresh STAMP PATH...: whether nothing at or below the paths was changed after the stamp, by the times of files and directories
 * (a removed file is a change of its directory). Names that end in .test.ts do not count. What find(1) does, in a fifth of its time.
 */

enum { FRESH = 0, STALE = 1, UNKNOWN = 2 };

/* Deeper than any tree of sources; also ends at once what a loop of mounts would not. */
#define DEPTH_MAX 64

static bool is_newer(const struct stat *stats, const struct timespec *stamp) {
  if (stats->st_mtim.tv_sec != stamp->tv_sec) return stats->st_mtim.tv_sec > stamp->tv_sec;
  return stats->st_mtim.tv_nsec > stamp->tv_nsec;
}

static bool is_test(const char *name) {
  static const char ending[] = ".test.ts";
  size_t length = strlen(name);
  return length >= sizeof ending - 1 && strcmp(name + length - (sizeof ending - 1), ending) == 0;
}

static int look_at(int directory, const char *name, const struct timespec *stamp, int depth);

static int look_below(int fd, const struct timespec *stamp, int depth) {
  DIR *entries = fdopendir(fd);
  int state = FRESH;
  if (entries == NULL) {
    close(fd);
    return UNKNOWN;
  }
  while (state == FRESH) {
    errno = 0;
    const struct dirent *entry = readdir(entries);
    if (entry == NULL) {
      if (errno != 0) state = UNKNOWN;
      break;
    }
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) state = look_at(fd, entry->d_name, stamp, depth);
  }
  closedir(entries);
  return state;
}

static int look_at(int directory, const char *name, const struct timespec *stamp, int depth) {
  struct stat stats;
  if (depth > DEPTH_MAX || fstatat(directory, name, &stats, AT_SYMLINK_NOFOLLOW) != 0) return UNKNOWN;
  if (is_newer(&stats, stamp) && !is_test(name)) return STALE;
  if (!S_ISDIR(stats.st_mode)) return FRESH;
  int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? UNKNOWN : look_below(fd, stamp, depth + 1);
}

int fresh_main(int argc, char **argv) {
  struct stat stamp;
  if (argc < 2 || stat(argv[0], &stamp) != 0) return UNKNOWN;
  for (int i = 1; i < argc; i++) {
    int state = look_at(AT_FDCWD, argv[i], &stamp.st_mtim, 0);
    if (state != FRESH) return state;
  }
  return FRESH;
}
