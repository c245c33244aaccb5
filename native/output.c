#include "run.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void end_stream(struct shim *s, int stream) {
  close(s->stdio.out[stream]);
  s->stdio.out[stream] = -1;
  log_end(&s->log, stream);
}

bool has_output(const struct shim *s) {
  return s->stdio.out[0] >= 0 || s->stdio.out[1] >= 0;
}

/* Nothing is read before STARTED is told, nor while a subscriber has no room: the pipe then holds the container back. */
bool may_read_output(const struct shim *s, int stream) {
  if (s->stdio.out[stream] < 0 || s->phase < RUNNING || s->phase == FAILED) return false;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    const struct client *client = &s->clients[i];
    if (client->fd >= 0 && (client->mask & (1 << stream)) != 0 && !client_has_room(client, READ_MAX + CLIENT_RESERVE)) return false;
  }
  return true;
}

static void pass_on(struct shim *s, int stream, const uint8_t *bytes, size_t length) {
  if (s->output_bytes < OPENING_MAX) {
    size_t room = OPENING_MAX - s->opening_length, part = length < room ? length : room;
    memcpy(s->opening + s->opening_length, bytes, part);
    s->opening_length += part;
  }
  s->output_bytes += length;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if ((s->clients[i].mask & (1 << stream)) != 0) client_send(&s->clients[i], (uint8_t)(FRAME_STDOUT + stream), bytes, length);
  }
  log_output(&s->log, stream, bytes, length);
}

void read_output(struct shim *s, int stream) {
  static uint8_t bytes[READ_MAX];
  size_t ask = READ_MAX;
  if (s->is_grace_over && (size_t)s->last_bytes[stream] < ask) ask = (size_t)s->last_bytes[stream];
  ssize_t n = ask == 0 ? 0 : read(s->stdio.out[stream], bytes, ask);
  if (n < 0 && errno == EINTR) return;
  if (n < 0 && errno == EAGAIN && !s->is_grace_over) return;
  /* EIO is how a terminal says that nobody has it open any more. */
  if (n <= 0) return end_stream(s, stream);
  if (s->is_grace_over) s->last_bytes[stream] -= (int)n;
  pass_on(s, stream, bytes, (size_t)n);
}

void end_grace(struct shim *s) {
  s->is_grace_over = true;
  for (int stream = 0; stream < 2; stream++) {
    int waiting = 0;
    if (s->stdio.out[stream] >= 0) (void)ioctl(s->stdio.out[stream], FIONREAD, &waiting);
    s->last_bytes[stream] = waiting;
  }
}
