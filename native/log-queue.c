#define _GNU_SOURCE
#include "shim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What `mode=non-blocking` asks for: a writer of its own behind a bounded ring of whole lines, so that a slow disk holds nobody back. */

/* A disk that takes nothing for this long keeps its last lines from the log, and not the shim from its end. */
#define END_TIMEOUT_S 10

struct log_queue {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  struct rotating_file *file;
  char *ring;
  size_t capacity, start, length;
  uint64_t lost;
  bool is_ending;
};

static void ring_read(const struct log_queue *queue, char *out, size_t length) {
  size_t first = queue->capacity - queue->start;
  if (first > length) first = length;
  memcpy(out, queue->ring + queue->start, first);
  memcpy(out + first, queue->ring, length - first);
}

/* Takes whole lines off the ring; 0 when it is empty for good. */
static size_t take_lines(struct log_queue *queue, char *out, size_t room) {
  pthread_mutex_lock(&queue->mutex);
  while (queue->length == 0 && !queue->is_ending) pthread_cond_wait(&queue->wake, &queue->mutex);
  size_t length = queue->length < room ? queue->length : room;
  ring_read(queue, out, length);
  if (length < queue->length) {
    const char *last = memrchr(out, '\n', length);
    length = (size_t)(last - out) + 1;
  }
  queue->start = (queue->start + length) % queue->capacity;
  queue->length -= length;
  pthread_mutex_unlock(&queue->mutex);
  return length;
}

static void *write_out(void *context) {
  struct log_queue *queue = context;
  static char lines[LOG_BATCH_MAX];
  for (size_t length; (length = take_lines(queue, lines, sizeof lines)) > 0;) {
    uint64_t lost = rotating_write_lines(queue->file, lines, length);
    pthread_mutex_lock(&queue->mutex);
    queue->lost += lost;
    pthread_mutex_unlock(&queue->mutex);
  }
  return NULL;
}

struct log_queue *log_queue_start(struct rotating_file *file, size_t capacity) {
  struct log_queue *queue = calloc(1, sizeof *queue);
  if (queue == NULL) return NULL;
  queue->file = file;
  /* A line that fits nowhere would never be written. */
  queue->capacity = capacity < LOG_ENTRY_MAX ? LOG_ENTRY_MAX : capacity;
  queue->ring = malloc(queue->capacity);
  pthread_mutex_init(&queue->mutex, NULL);
  pthread_cond_init(&queue->wake, NULL);
  if (queue->ring != NULL && pthread_create(&queue->thread, NULL, write_out, queue) == 0) return queue;
  free(queue->ring);
  free(queue);
  return NULL;
}

void log_queue_push(struct log_queue *queue, const char *bytes, size_t length) {
  pthread_mutex_lock(&queue->mutex);
  size_t part = whole_lines_within(bytes, length, queue->capacity - queue->length);
  size_t at = (queue->start + queue->length) % queue->capacity, first = queue->capacity - at;
  if (first > part) first = part;
  memcpy(queue->ring + at, bytes, first);
  memcpy(queue->ring, bytes + first, part - first);
  queue->length += part;
  queue->lost += count_lines(bytes + part, length - part);
  pthread_cond_signal(&queue->wake);
  pthread_mutex_unlock(&queue->mutex);
}

uint64_t log_queue_lost(struct log_queue *queue) {
  pthread_mutex_lock(&queue->mutex);
  uint64_t lost = queue->lost;
  pthread_mutex_unlock(&queue->mutex);
  return lost;
}

void log_queue_end(struct log_queue *queue) {
  struct timespec due;
  pthread_mutex_lock(&queue->mutex);
  queue->is_ending = true;
  pthread_cond_signal(&queue->wake);
  pthread_mutex_unlock(&queue->mutex);
  clock_gettime(CLOCK_REALTIME, &due);
  due.tv_sec += END_TIMEOUT_S;
  (void)pthread_timedjoin_np(queue->thread, NULL, &due);
}
