#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void client_init(struct client *client, int fd, uint8_t mask) {
  *client = (struct client){.fd = fd, .mask = mask, .progress_ms = monotonic_ms()};
}

static void discard_output(struct client *client) {
  free(client->out);
  client->out = NULL;
  client->out_start = client->out_length = 0;
}

void client_drop(struct client *client) {
  discard_output(client);
  close(client->fd);
  client->fd = -1;
}

/* The other side takes nothing any more. What it sent before it went still counts, so reading goes on to the end. */
void client_hang_up(struct client *client) {
  discard_output(client);
  client->is_hung = true;
  client->mask = 0;
}

/* ---- frames out ---- */

bool client_has_room(const struct client *client, size_t payload) {
  return client->out_length + FRAME_HEADER + payload <= CLIENT_BUFFER;
}

static void keep(struct client *client, const uint8_t *bytes, size_t length) {
  if (client->out == NULL) client->out = malloc(CLIENT_BUFFER);
  if (client->out == NULL || client->out_length + length > CLIENT_BUFFER) {
    client_hang_up(client);
    return;
  }
  if (client->out_start + client->out_length + length > CLIENT_BUFFER) {
    memmove(client->out, client->out + client->out_start, client->out_length);
    client->out_start = 0;
  }
  if (client->out_length == 0) client->progress_ms = monotonic_ms();
  memcpy(client->out + client->out_start + client->out_length, bytes, length);
  client->out_length += length;
}

/* Bytes that the socket took, or -1 when the other side is gone. */
static ssize_t write_parts(struct client *client, const struct iovec *parts, int count) {
  ssize_t n;
  do n = writev(client->fd, parts, count);
  while (n < 0 && errno == EINTR);
  return n < 0 && errno == EAGAIN ? 0 : n;
}

void client_send(struct client *client, uint8_t type, const void *payload, size_t length) {
  uint8_t header[FRAME_HEADER];
  if (client->fd < 0 || client->is_hung) return;
  frame_header(header, type, (uint32_t)length);
  size_t sent = 0;
  if (client->out_length == 0) {
    struct iovec parts[2] = {{.iov_base = header, .iov_len = sizeof header}, {.iov_base = (void *)payload, .iov_len = length}};
    ssize_t n = write_parts(client, parts, length == 0 ? 1 : 2);
    if (n < 0) {
      client_hang_up(client);
      return;
    }
    sent = (size_t)n;
  }
  if (sent < sizeof header) {
    keep(client, header + sent, sizeof header - sent);
    sent = sizeof header;
  }
  size_t from = sent - sizeof header;
  if (from < length && !client->is_hung) keep(client, (const uint8_t *)payload + from, length - from);
}

void client_flush(struct client *client) {
  if (client->out_length == 0) return;
  struct iovec part = {.iov_base = client->out + client->out_start, .iov_len = client->out_length};
  ssize_t n = write_parts(client, &part, 1);
  if (n < 0) {
    client_hang_up(client);
    return;
  }
  if (n > 0) client->progress_ms = monotonic_ms();
  client->out_start += (size_t)n;
  client->out_length -= (size_t)n;
  if (client->out_length == 0) discard_output(client);
}

/* ---- the container's stdin ---- */

void stdin_close(struct stdin_queue *queue) {
  if (queue->fd >= 0) close(queue->fd);
  queue->fd = -1;
  queue->is_open = false;
  queue->length = 0;
}

void stdin_flush(struct stdin_queue *queue) {
  while (queue->fd >= 0 && queue->length > 0) {
    ssize_t n = write(queue->fd, queue->bytes, queue->length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      /* The container has closed its end: what still comes is nobody's. */
      stdin_close(queue);
      return;
    }
    queue->length -= (size_t)n;
    memmove(queue->bytes, queue->bytes + n, queue->length);
  }
  if (queue->is_close_wanted && queue->length == 0 && queue->fd >= 0) stdin_close(queue);
}

/* ---- frames in ---- */

static bool is_stdin_full(const struct stdin_queue *queue) {
  return queue->is_open && !queue->is_close_wanted && queue->length == STDIN_QUEUE;
}

bool client_wants_read(const struct client *client, const struct client_effects *effects) {
  if (client->is_read_closed) return false;
  bool is_inside_stdin = client->header_length == FRAME_HEADER && client->type == FRAME_STDIN;
  return !(is_inside_stdin && is_stdin_full(effects->stdin_queue));
}

static int control_length(uint8_t type) {
  switch (type) {
    case FRAME_CLOSE_STDIN: return 0;
    case FRAME_RESIZE: return 4;
    case FRAME_SUBSCRIBE: return 1;
    case FRAME_SIGNAL: return 4;
    case FRAME_GO: return 0;
    default: return -1;
  }
}

static bool is_valid(const struct client *client) {
  return client->type == FRAME_STDIN || control_length(client->type) == (int)client->left;
}

/* False for a payload that makes no sense. */
static bool obey(struct client *client, const struct client_effects *effects) {
  const uint8_t *body = client->body;
  switch (client->type) {
    case FRAME_CLOSE_STDIN:
      effects->stdin_queue->is_close_wanted = !effects->stdin_queue->is_terminal;
      stdin_flush(effects->stdin_queue);
      return true;
    case FRAME_RESIZE:
      effects->resize(effects->context, read_u16be(body), read_u16be(body + 2));
      return true;
    case FRAME_SUBSCRIBE:
      if (body[0] > 3) return false;
      if (!client->is_hung) client->mask = body[0];
      return true;
    case FRAME_SIGNAL:
      effects->signal(effects->context, read_u32be(body));
      return true;
    case FRAME_GO:
      effects->go(effects->context);
      return true;
    default:
      return true;
  }
}

/* One read into `into`. 1: got some, 0: nothing now, -1: the end, or an error. */
static int read_some(int fd, void *into, size_t length, size_t *got) {
  ssize_t n = read(fd, into, length);
  *got = n > 0 ? (size_t)n : 0;
  if (n > 0) return 1;
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int read_header(struct client *client) {
  size_t got;
  int state = read_some(client->fd, client->header + client->header_length, FRAME_HEADER - client->header_length, &got);
  client->header_length += got;
  if (client->header_length < FRAME_HEADER) return state;
  client->body_length = 0;
  if (!frame_parse(client->header, &client->type, &client->left) || !is_valid(client)) return -2;
  return state;
}

static int read_stdin(struct client *client, struct stdin_queue *queue) {
  static uint8_t scratch[4096];
  size_t got, room = STDIN_QUEUE - queue->length;
  bool is_wanted = queue->is_open && !queue->is_close_wanted;
  if (!is_wanted) room = sizeof scratch;
  if (room == 0) return 0;
  size_t ask = client->left < room ? client->left : room;
  int state = read_some(client->fd, is_wanted ? queue->bytes + queue->length : scratch, ask, &got);
  client->left -= (uint32_t)got;
  if (is_wanted) {
    queue->length += got;
    stdin_flush(queue);
  }
  return state;
}

static int read_body(struct client *client) {
  size_t got;
  int state = read_some(client->fd, client->body + client->body_length, client->left, &got);
  client->body_length += got;
  client->left -= (uint32_t)got;
  return state;
}

static int step(struct client *client, const struct client_effects *effects) {
  int state = 1;
  if (client->header_length < FRAME_HEADER) {
    state = read_header(client);
  } else if (client->left > 0) {
    state = client->type == FRAME_STDIN ? read_stdin(client, effects->stdin_queue) : read_body(client);
  }
  if (state == -2) return state;
  if (client->header_length == FRAME_HEADER && client->left == 0) {
    client->header_length = 0;
    if (!obey(client, effects)) return -2;
  }
  return state;
}

/* So that one busy client does not starve the others. */
#define STEPS_PER_TURN 16

void client_read(struct client *client, const struct client_effects *effects) {
  int state = 1;
  for (int i = 0; i < STEPS_PER_TURN && state == 1; i++) state = step(client, effects);
  if (state == -2) {
    client_drop(client);
  } else if (state == -1) {
    client->is_read_closed = true;
    if (client->is_hung) client_drop(client);
  }
}
