#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file that starts anew when it is full. FILE.1 is the one before, FILE.2 the one before that; with compression they end in .gz. */

void rotating_open(struct rotating_file *file) {
  struct stat found;
  file->size = 0;
  file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (file->fd >= 0 && fstat(file->fd, &found) == 0) file->size = (uint64_t)found.st_size;
}

static bool generation(char *out, const char *path, unsigned number, const char *suffix) {
  int n = number == 0 ? snprintf(out, PATH_MAX, "%s", path) : snprintf(out, PATH_MAX, "%s.%u%s", path, number, suffix);
  return n > 0 && n < PATH_MAX;
}

static void shift(struct rotating_file *file, unsigned to, const char *suffix) {
  char older[PATH_MAX], newer[PATH_MAX];
  if (!generation(newer, file->path, to - 1, suffix) || !generation(older, file->path, to, suffix)) return;
  /* Without a newer one the older must not stay beside what takes its number with the other ending. */
  if (rename(newer, older) != 0 && file->is_compressed) (void)unlink(older);
}

/* gzip(1) is on every Debian; without it the file stays as it is, and readers take both. */
static void compress_in_background(struct rotating_file *file) {
  char path[PATH_MAX];
  if (!generation(path, file->path, 1, "")) return;
  file->compressor = fork();
  if (file->compressor != 0) return;
  redirect_stdio_to_null();
  restore_signals();
  (void)!nice(10);
  char *argv[] = {"gzip", "--force", "--", path, NULL}, *environment[] = {NULL};
  execve("/bin/gzip", argv, environment);
  _exit(127);
}

/* It works on names that are about to mean other files. */
static void await_compressor(struct rotating_file *file) {
  int status;
  if (file->compressor <= 0) return;
  while (waitpid(file->compressor, &status, 0) < 0 && errno == EINTR) continue;
  file->compressor = 0;
}

/* A reader that follows sees a new inode at FILE, or a file that has become shorter. */
static void rotate(struct rotating_file *file) {
  if (file->fd < 0) return;
  if (file->max_files <= 1) {
    if (ftruncate(file->fd, 0) == 0) file->size = 0;
    return;
  }
  await_compressor(file);
  for (unsigned i = file->max_files - 1; i > 0; i--) {
    if (file->is_compressed && i > 1) shift(file, i, ".gz");
    shift(file, i, "");
  }
  close(file->fd);
  rotating_open(file);
  if (file->is_compressed) compress_in_background(file);
}

void rotating_make_room(struct rotating_file *file, size_t bytes) {
  if (file->fd < 0 || file->max_bytes == 0 || file->size == 0) return;
  if (file->size + bytes > file->max_bytes) rotate(file);
}

/* Leaves only whole lines of what a write cut short. Returns how much stays. */
static size_t keep_whole_lines(struct rotating_file *file, const char *bytes, size_t written) {
  const char *last = memrchr(bytes, '\n', written);
  size_t kept = last == NULL ? 0 : (size_t)(last - bytes) + 1;
  /* If even this fails, the cut line stays: readers skip what they cannot parse. */
  if (kept < written && ftruncate(file->fd, (off_t)(file->size + kept)) != 0) file->size += written - kept;
  return kept;
}

size_t rotating_append(struct rotating_file *file, const char *bytes, size_t length) {
  if (file->fd < 0) rotating_open(file);
  size_t written = 0;
  while (file->fd >= 0 && written < length) {
    ssize_t n = write(file->fd, bytes + written, length - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += (size_t)n;
  }
  size_t kept = written == length ? length : keep_whole_lines(file, bytes, written);
  file->size += kept;
  return kept;
}

uint64_t count_lines(const char *bytes, size_t length) {
  uint64_t lines = 0;
  for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL; bytes++) lines++;
  return lines;
}

size_t whole_lines_within(const char *bytes, size_t length, size_t room) {
  if (length <= room) return length;
  const char *last = memrchr(bytes, '\n', room);
  return last == NULL ? 0 : (size_t)(last - bytes) + 1;
}

uint64_t rotating_write_lines(struct rotating_file *file, const char *bytes, size_t length) {
  uint64_t lost = 0;
  while (length > 0) {
    if (file->fd < 0) rotating_open(file);
    size_t part = length;
    if (file->max_bytes != 0) {
      size_t room = file->size < file->max_bytes ? (size_t)(file->max_bytes - file->size) : 0;
      part = whole_lines_within(bytes, length, room);
      if (part == 0 && file->size > 0) {
        rotate(file);
        room = file->size < file->max_bytes ? (size_t)(file->max_bytes - file->size) : 0;
        part = whole_lines_within(bytes, length, room);
      }
      /* One line is longer than a file may be, or the file cannot be started anew: then it grows by this line. */
      if (part == 0) part = (size_t)((const char *)memchr(bytes, '\n', length) - bytes) + 1;
    }
    size_t kept = rotating_append(file, bytes, part);
    lost += count_lines(bytes + kept, part - kept);
    bytes += part;
    length -= part;
  }
  return lost;
}
