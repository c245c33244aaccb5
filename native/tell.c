#include "run.h"

#include <string.h>

void tell(struct shim *s, uint8_t type, const void *payload, size_t length) {
  for (int i = 0; i < MAX_CLIENTS; i++) client_send(&s->clients[i], type, payload, length);
}

static size_t started_text(struct shim *s, char text[RECORD_MAX]) {
  return format_started(text, RECORD_MAX, s->record.pid, s->record.started_at_ns);
}

static void tell_lost(struct shim *s, struct client *client) {
  uint8_t count[8];
  uint64_t lost = log_lost_lines(&s->log);
  for (int i = 0; i < 8; i++) count[i] = (uint8_t)(lost >> (56 - 8 * i));
  if (client->fd >= 0 && client_has_room(client, sizeof count)) client_send(client, FRAME_LOG_LOST, count, sizeof count);
}

/* A connection that comes later learns at once how things stand. */
void tell_state(struct shim *s, struct client *client) {
  char text[RECORD_MAX];
  if (s->phase == FAILED) client_send(client, FRAME_FAILED, s->runtime_text, strlen(s->runtime_text));
  if (s->phase == RUNNING || s->phase == EXITED) client_send(client, FRAME_STARTED, text, started_text(s, text));
  if (s->is_exit_announced) client_send(client, FRAME_EXITED, text, format_exited(text, sizeof text, &s->record));
  if (log_lost_lines(&s->log) > 0) tell_lost(s, client);
  if (s->is_end_announced) client_send(client, FRAME_OUTPUT_END, NULL, 0);
}

void tell_started(struct shim *s) {
  char text[RECORD_MAX];
  tell(s, FRAME_STARTED, text, started_text(s, text));
}

void tell_lost_lines(struct shim *s, int64_t now, bool is_last) {
  uint64_t lost = log_lost_lines(&s->log);
  if (lost == s->lost_told) return;
  if (!is_last && now - s->lost_told_ms < LOST_INTERVAL_MS) return;
  s->lost_told = lost;
  s->lost_told_ms = now;
  for (int i = 0; i < MAX_CLIENTS; i++) tell_lost(s, &s->clients[i]);
}
