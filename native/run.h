/* The state of one shim, shared by run.c (start and loop), tell.c (what clients are told), output.c and exit.c. */
#ifndef GLOVEBOX_RUN_H
#define GLOVEBOX_RUN_H

#include "shim.h"

/* Output that somebody else may still write when init is gone is waited for this long, then only what is in the pipe counts. */
#define GRACE_MS 1000
/* A client that takes nothing for this long after the exit does not keep the shim. */
#define STALL_MS 60000
/* How often lost log lines are told of. */
#define LOST_INTERVAL_MS 1000
/* The start of the output, kept to recognise the runtime's last words. */
#define OPENING_MAX 512

enum phase { STARTING, RUNNING, EXITED, FAILED };

struct shim {
  const struct options *options;
  enum phase phase;
  bool is_holding; /* the process waits to be told to go */
  struct runtime runtime;
  struct stdio stdio;
  int signals;
  int listener;
  struct container_log log;
  uint64_t lost_told;
  int64_t lost_told_ms;
  struct stdin_queue stdin_queue;
  struct client clients[MAX_CLIENTS];
  struct client_effects effects;
  uint16_t rows, cols;
  struct exit_record record;
  bool is_exit_announced, is_end_announced;
  int64_t grace_until_ms;
  bool is_grace_over;
  int last_bytes[2]; /* after the grace: what is still to be read */
  char opening[OPENING_MAX + 1];
  size_t opening_length;
  uint64_t output_bytes;
  char runtime_text[RUNTIME_TEXT_MAX];
};

/* tell.c */
void tell(struct shim *s, uint8_t type, const void *payload, size_t length);
void tell_started(struct shim *s);
void tell_state(struct shim *s, struct client *client);
void tell_lost_lines(struct shim *s, int64_t now, bool is_last);

/* output.c */
bool has_output(const struct shim *s);
bool may_read_output(const struct shim *s, int stream);
void read_output(struct shim *s, int stream);
/* From here on only what is already in the pipes counts. */
void end_grace(struct shim *s);

/* exit.c */
void on_init_exit(struct shim *s, int status);
/* Does what has become due, whatever woke us. */
void settle(struct shim *s);
bool is_done(const struct shim *s);

#endif
