#include "run.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void on_init_exit(struct shim *s, int status) {
  s->phase = EXITED;
  s->record.exited_at_ns = realtime_ns();
  s->record.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  s->record.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  s->grace_until_ms = monotonic_ms() + GRACE_MS;
  stdin_close(&s->stdin_queue);
}

/*
 * A container's program may turn out not to be executable after the runtime has reported success. The runtime has let go of its log by then:
 * its words are the whole output of a process that exited with 1.
 */
static void find_runtime_error(struct shim *s) {
  static const char prefix[] = "exec container process `";
  if (s->options->entry != NULL || s->record.exit_code != 1 || s->output_bytes != s->opening_length) return;
  snprintf(s->runtime_text, sizeof s->runtime_text, "%.*s", (int)strcspn(s->opening, "\r\n"), s->opening);
  if (strncmp(s->runtime_text, prefix, sizeof prefix - 1) == 0) s->record.runtime_error = s->runtime_text;
}

/* The record is on disk before anybody is told, so that what a client has heard can be read again after a crash. */
static void announce_exit(struct shim *s) {
  char text[RECORD_MAX];
  find_runtime_error(s);
  (void)write_exit_record(&s->record);
  s->is_exit_announced = true;
  tell(s, FRAME_EXITED, text, format_exited(text, sizeof text, &s->record));
}

static void drop_stalled(struct shim *s, int64_t now) {
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &s->clients[i];
    if (client->fd >= 0 && client->out_length > 0 && now - client->progress_ms >= STALL_MS) client_drop(client);
  }
}

void settle(struct shim *s) {
  int64_t now = monotonic_ms();
  tell_lost_lines(s, now, false);
  if (s->phase == FAILED) drop_stalled(s, now);
  if (s->phase != EXITED) return;
  drop_stalled(s, now);
  if (!s->is_grace_over && has_output(s) && now >= s->grace_until_ms) end_grace(s);
  for (int stream = 0; stream < 2 && s->is_grace_over; stream++) {
    while (may_read_output(s, stream)) read_output(s, stream);
  }
  if (!s->is_exit_announced && (!has_output(s) || s->is_grace_over)) announce_exit(s);
  if (s->is_exit_announced && !s->is_end_announced && !has_output(s)) {
    s->is_end_announced = true;
    log_close(&s->log);
    tell_lost_lines(s, now, true);
    tell(s, FRAME_OUTPUT_END, NULL, 0);
  }
}

bool is_done(const struct shim *s) {
  if (!s->is_end_announced && s->phase != FAILED) return false;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if (s->clients[i].fd >= 0 && s->clients[i].out_length > 0) return false;
  }
  return true;
}
