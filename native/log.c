#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- a file that starts anew when it is full ---- */

void rotating_open(struct rotating_file *file) {
  struct stat found;
  file->size = 0;
  file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (file->fd >= 0 && fstat(file->fd, &found) == 0) file->size = (uint64_t)found.st_size;
}

static bool generation(char *out, const char *path, unsigned number) {
  int n = number == 0 ? snprintf(out, PATH_MAX, "%s", path) : snprintf(out, PATH_MAX, "%s.%u", path, number);
  return n > 0 && n < PATH_MAX;
}

/* FILE.1 becomes FILE.2 and so on; the oldest is overwritten. A reader that follows sees a new inode at FILE. */
static void rotate(struct rotating_file *file) {
  char from[PATH_MAX], to[PATH_MAX];
  if (file->max_files <= 1) {
    if (ftruncate(file->fd, 0) == 0) file->size = 0;
    return;
  }
  for (unsigned i = file->max_files - 1; i > 0; i--) {
    if (generation(from, file->path, i - 1) && generation(to, file->path, i)) (void)rename(from, to);
  }
  close(file->fd);
  rotating_open(file);
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

/* ---- lines of a container in Docker's json-file format ---- */

static uint64_t count_lines(const char *bytes, size_t length) {
  uint64_t lines = 0;
  for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL; bytes++) lines++;
  return lines;
}

static void flush_batch(struct container_log *log) {
  if (log->batch_length == 0) return;
  size_t kept = rotating_append(&log->file, log->batch, log->batch_length);
  log->lost_lines += count_lines(log->batch + kept, log->batch_length - kept);
  log->batch_length = 0;
}

#define TIME_MAX 40

static size_t format_time(char out[TIME_MAX], int64_t ns) {
  time_t seconds = (time_t)(ns / NS_PER_S);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  size_t n = strftime(out, TIME_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
  return n + (size_t)snprintf(out + n, TIME_MAX - n, ".%09dZ", (int)(ns % NS_PER_S));
}

static void add(char **out, const char *text, size_t length) {
  memcpy(*out, text, length);
  *out += length;
}

static void add_entry(struct container_log *log, int stream, const uint8_t *line, size_t length, const char *time, size_t time_length) {
  char *start = log->batch + log->batch_length;
  char *out = start;
  add(&out, "{\"log\":\"", 8);
  out += json_escape(out, line, length);
  add(&out, "\",\"stream\":\"", 12);
  add(&out, stream == 0 ? "stdout" : "stderr", 6);
  add(&out, "\",\"time\":\"", 10);
  add(&out, time, time_length);
  add(&out, "\"}\n", 3);
  size_t entry = (size_t)(out - start);
  if (log->file.max_bytes != 0 && log->file.size + log->batch_length + entry > log->file.max_bytes) {
    flush_batch(log);
    rotating_make_room(&log->file, entry);
    if (start != log->batch) memmove(log->batch, start, entry);
  }
  log->batch_length += entry;
  if (log->batch_length + LOG_ENTRY_MAX > LOG_BATCH_MAX) flush_batch(log);
}

/* Writes what the stream's partial line holds, keeping back a character that is not complete yet. */
static void split_full_line(struct container_log *log, int stream, const char *time, size_t time_length) {
  struct line_buffer *partial = &log->partial[stream];
  size_t whole = utf8_whole_prefix(partial->bytes, partial->length);
  add_entry(log, stream, partial->bytes, whole, time, time_length);
  memmove(partial->bytes, partial->bytes + whole, partial->length - whole);
  partial->length -= whole;
}

void log_output(struct container_log *log, int stream, const uint8_t *bytes, size_t length) {
  if (log->file.path == NULL) return;
  struct line_buffer *partial = &log->partial[stream];
  char time[TIME_MAX];
  size_t time_length = format_time(time, realtime_ns());
  while (length > 0) {
    size_t room = LOG_LINE_MAX - partial->length;
    size_t span = length < room ? length : room;
    const uint8_t *newline = memchr(bytes, '\n', span);
    size_t taken = newline == NULL ? span : (size_t)(newline - bytes) + 1;
    if (newline != NULL && partial->length == 0) {
      add_entry(log, stream, bytes, taken, time, time_length);
    } else {
      memcpy(partial->bytes + partial->length, bytes, taken);
      partial->length += taken;
      if (newline != NULL) {
        add_entry(log, stream, partial->bytes, partial->length, time, time_length);
        partial->length = 0;
      } else if (partial->length == LOG_LINE_MAX) {
        split_full_line(log, stream, time, time_length);
      }
    }
    bytes += taken;
    length -= taken;
  }
  flush_batch(log);
}

void log_end(struct container_log *log, int stream) {
  struct line_buffer *partial = &log->partial[stream];
  if (log->file.path == NULL || partial->length == 0) return;
  char time[TIME_MAX];
  size_t time_length = format_time(time, realtime_ns());
  add_entry(log, stream, partial->bytes, partial->length, time, time_length);
  partial->length = 0;
  flush_batch(log);
}
