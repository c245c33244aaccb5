#define _GNU_SOURCE
#include "shim.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Lines of a container in Docker's json-file format. */

static void flush_batch(struct container_log *log) {
  if (log->batch_length == 0) return;
  if (log->queue != NULL) log_queue_push(log->queue, log->batch, log->batch_length);
  else log->lost_lines += rotating_write_lines(&log->file, log->batch, log->batch_length);
  log->batch_length = 0;
}

void log_open(struct container_log *log, size_t queue_bytes) {
  if (log->file.path == NULL) return;
  rotating_open(&log->file);
  if (queue_bytes > 0) log->queue = log_queue_start(&log->file, queue_bytes);
}

void log_close(struct container_log *log) {
  if (log->queue == NULL) return;
  log_queue_end(log->queue);
  log->lost_lines = log_queue_lost(log->queue);
  log->queue = NULL;
}

uint64_t log_lost_lines(struct container_log *log) {
  return log->queue == NULL ? log->lost_lines : log_queue_lost(log->queue);
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
  if (log->attributes != NULL) {
    add(&out, "\",\"attrs\":", 10);
    add(&out, log->attributes, log->attributes_length);
    add(&out, ",\"time\":\"", 9);
  } else {
    add(&out, "\",\"time\":\"", 10);
  }
  add(&out, time, time_length);
  add(&out, "\"}\n", 3);
  log->batch_length += (size_t)(out - start);
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
