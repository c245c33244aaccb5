#define _GNU_SOURCE
#include "enter.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shim the_shim;

/* ---- what clients ask for ---- */

static void apply_size(struct shim *s) {
  struct winsize size = {.ws_row = s->rows, .ws_col = s->cols};
  if (s->options->tty && s->stdio.out[0] >= 0 && s->rows + s->cols > 0) (void)ioctl(s->stdio.out[0], TIOCSWINSZ, &size);
}

static void on_resize(void *context, uint16_t rows, uint16_t cols) {
  struct shim *s = context;
  s->rows = rows;
  s->cols = cols;
  apply_size(s);
}

/* Until we have reaped init nobody else can have its pid. */
static void on_signal(void *context, uint32_t number) {
  struct shim *s = context;
  if (s->phase == RUNNING && number >= 1 && number < NSIG) (void)kill(s->record.pid, (int)number);
}

static void on_go(void *context) {
  struct shim *s = context;
  if (s->is_holding) (void)!write(s->runtime.verdict_fd, "", 1);
  s->is_holding = false;
}

/* ---- start ---- */

static void fail_start(struct shim *s, const char *fallback) {
  char early[RUNTIME_TEXT_MAX];
  size_t length = runtime_text(&s->runtime, s->runtime_text, sizeof s->runtime_text);
  if (length == 0 && s->stdio.out[1] >= 0) {
    ssize_t n = read(s->stdio.out[1], early, sizeof early - 1);
    if (n > 0) snprintf(s->runtime_text, sizeof s->runtime_text, "%.*s", (int)n, early);
  }
  if (s->runtime_text[0] == 0) snprintf(s->runtime_text, sizeof s->runtime_text, "%s", fallback);
  s->phase = FAILED;
  tell(s, FRAME_FAILED, s->runtime_text, strlen(s->runtime_text));
}

static void use_terminal(struct shim *s) {
  apply_size(s);
  if (s->stdin_queue.is_open) {
    s->stdin_queue.fd = s->stdio.in;
    stdin_flush(&s->stdin_queue);
  } else if (s->stdio.in >= 0) {
    close(s->stdio.in);
  }
}

static void take_console(struct shim *s) {
  if (runtime_take_console(&s->runtime, &s->stdio)) use_terminal(s);
}

static void begin(struct shim *s, pid_t pid) {
  s->record.pid = pid;
  s->record.started_at_ns = realtime_ns();
  s->phase = RUNNING;
  (void)write_state_record(s->record.pid, s->record.started_at_ns);
  tell_started(s);
}

static void on_runtime_exit(struct shim *s, int status) {
  char fallback[128];
  if (WIFSIGNALED(status)) {
    snprintf(fallback, sizeof fallback, "the runtime was killed by signal %d", WTERMSIG(status));
  } else {
    snprintf(fallback, sizeof fallback, "the runtime exited with code %d and said nothing", WEXITSTATUS(status));
  }
  if (status != 0) return fail_start(s, fallback);
  if (s->runtime.console_fd >= 0) take_console(s);
  if (s->options->tty && s->stdio.out[0] < 0) return fail_start(s, "the runtime sent no terminal");
  pid_t pid = runtime_read_pid();
  if (pid <= 0) return fail_start(s, "the runtime wrote no pid");
  begin(s, pid);
}

static void on_verdict(struct shim *s) {
  char text[RUNTIME_TEXT_MAX] = "";
  bool had_terminal = s->stdio.out[0] >= 0;
  int verdict = enter_verdict(&s->runtime, &s->stdio, text, sizeof text);
  if (s->options->tty && !had_terminal && s->stdio.out[0] >= 0) use_terminal(s);
  if (verdict == 0) return;
  close(s->runtime.verdict_fd);
  s->runtime.verdict_fd = -1;
  s->is_holding = false;
  if (verdict < 0) {
    /* It is leaving. A zombie of it would hold up the end of the container: its process namespace waits for all of them. */
    (void)waitpid(s->runtime.entered, NULL, 0);
    return fail_start(s, text);
  }
  begin(s, s->runtime.entered);
}

static void reap(struct shim *s) {
  int status;
  if (s->runtime.pid > 0) {
    /* First the runtime, which tells us which of our adopted children is init. */
    if (waitpid(s->runtime.pid, &status, WNOHANG) != s->runtime.pid) return;
    s->runtime.pid = 0;
    on_runtime_exit(s, status);
  }
  /* Who has ended has told before: but of the two, its end may be what we were woken for. */
  if (s->runtime.verdict_fd >= 0) on_verdict(s);
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (s->phase == RUNNING && pid == s->record.pid) on_init_exit(s, status);
  }
}

/* ---- the loop ---- */

enum { SLOT_SIGNALS, SLOT_LISTENER, SLOT_CONSOLE, SLOT_VERDICT, SLOT_OUT, SLOT_ERR, SLOT_STDIN, SLOT_CLIENTS };
#define SLOT_COUNT (SLOT_CLIENTS + MAX_CLIENTS)

static void watch(const struct shim *s, struct pollfd polls[SLOT_COUNT]) {
  polls[SLOT_SIGNALS] = (struct pollfd){.fd = s->signals, .events = POLLIN};
  polls[SLOT_LISTENER] = (struct pollfd){.fd = s->listener, .events = POLLIN};
  polls[SLOT_CONSOLE] = (struct pollfd){.fd = s->runtime.console_fd, .events = POLLIN};
  polls[SLOT_VERDICT] = (struct pollfd){.fd = s->runtime.verdict_fd, .events = POLLIN};
  for (int stream = 0; stream < 2; stream++) {
    polls[SLOT_OUT + stream] = (struct pollfd){.fd = may_read_output(s, stream) ? s->stdio.out[stream] : -1, .events = POLLIN};
  }
  polls[SLOT_STDIN] = (struct pollfd){.fd = s->stdin_queue.length > 0 ? s->stdin_queue.fd : -1, .events = POLLOUT};
  for (int i = 0; i < MAX_CLIENTS; i++) {
    const struct client *client = &s->clients[i];
    bool wants_read = client_wants_read(client, &s->effects);
    struct pollfd *poll = &polls[SLOT_CLIENTS + i];
    *poll = (struct pollfd){.fd = client->fd};
    if (wants_read) poll->events |= POLLIN;
    if (client->out_length > 0) poll->events |= POLLOUT;
    /* It reports its hang-up for ever: not to be asked again before there is room for what it sent. */
    if (client->is_hung && !wants_read) poll->fd = -1;
  }
}

static int next_timeout_ms(struct shim *s) {
  int64_t now = monotonic_ms(), due = INT64_MAX;
  if (log_lost_lines(&s->log) != s->lost_told) due = s->lost_told_ms + LOST_INTERVAL_MS;
  if (s->phase == EXITED && !s->is_grace_over && s->grace_until_ms < due) due = s->grace_until_ms;
  for (int i = 0; i < MAX_CLIENTS && s->phase >= EXITED; i++) {
    const struct client *client = &s->clients[i];
    if (client->fd >= 0 && client->out_length > 0 && client->progress_ms + STALL_MS < due) due = client->progress_ms + STALL_MS;
  }
  if (due == INT64_MAX) return -1;
  return due <= now ? 0 : (int)(due - now);
}

static void accept_client(struct shim *s) {
  int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if (s->clients[i].fd >= 0) continue;
    client_init(&s->clients[i], fd, 0);
    tell_state(s, &s->clients[i]);
    return;
  }
  close(fd);
}

static void serve_client(struct shim *s, struct client *client, short events) {
  if (client->fd >= 0 && (events & POLLOUT) != 0) client_flush(client);
  if (client->fd >= 0 && (events & (POLLHUP | POLLERR)) != 0 && !client->is_hung) client_hang_up(client);
  if (client->fd >= 0 && ((events & POLLIN) != 0 || client->is_hung) && client_wants_read(client, &s->effects)) {
    client_read(client, &s->effects);
  }
  if (client->fd >= 0 && client->is_hung && client->is_read_closed) client_drop(client);
}

/* Held for somebody who has gone: it will never be told to go. */
static void drop_held(struct shim *s) {
  if (!s->is_holding) return;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if (s->clients[i].fd >= 0) return;
  }
  (void)kill(s->runtime.entered, SIGKILL);
  (void)waitpid(s->runtime.entered, NULL, 0);
  s->phase = FAILED;
}

static void drain_signals(const struct shim *s) {
  char events[1024];
  while (read(s->signals, events, sizeof events) > 0) continue;
}

static void turn(struct shim *s) {
  struct pollfd polls[SLOT_COUNT];
  watch(s, polls);
  if (poll(polls, SLOT_COUNT, next_timeout_ms(s)) > 0) {
    if (polls[SLOT_CONSOLE].revents != 0) take_console(s);
    if (polls[SLOT_VERDICT].revents != 0) on_verdict(s);
    for (int i = 0; i < MAX_CLIENTS; i++) {
      /* The slot may have been given to a new connection: that one has not been polled yet. */
      if (polls[SLOT_CLIENTS + i].revents != 0 && polls[SLOT_CLIENTS + i].fd == s->clients[i].fd) {
        serve_client(s, &s->clients[i], polls[SLOT_CLIENTS + i].revents);
      }
    }
    if (polls[SLOT_STDIN].revents != 0) stdin_flush(&s->stdin_queue);
    for (int stream = 0; stream < 2; stream++) {
      if (polls[SLOT_OUT + stream].revents != 0 && may_read_output(s, stream)) read_output(s, stream);
    }
    if (polls[SLOT_SIGNALS].revents != 0) {
      drain_signals(s);
      reap(s);
    }
    if (polls[SLOT_LISTENER].revents != 0) accept_client(s);
  }
  drop_held(s);
  settle(s);
}

/* For how long peers are waited for who have not yet heard all that was told. */
#define HEARD_MS 5000

/*
 * A socket closed with unread bytes resets its peer, which would then lose our last frames. So would one who cannot send any more what he was
 * about to, be it the word to go or what somebody types: he is waited for until he has closed as well, and what he sends meanwhile is nobody's.
 */
static void part(struct client *client, int64_t until_ms) {
  char scratch[4096];
  if (client->fd < 0) return;
  struct pollfd polled = {.fd = client->fd, .events = POLLIN};
  for (;;) {
    ssize_t n = read(client->fd, scratch, sizeof scratch);
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    if (n == 0 || errno != EAGAIN) break;
    int64_t left_ms = until_ms - monotonic_ms();
    if (left_ms <= 0 || (poll(&polled, 1, (int)left_ms) == 0)) break;
  }
  client_drop(client);
}

/* Nobody new first: who finds no socket reads the record instead. */
static _Noreturn void leave(struct shim *s) {
  (void)unlink("shim.sock");
  (void)unlink("console.sock");
  if (s->listener >= 0) close(s->listener);
  int64_t until_ms = monotonic_ms() + HEARD_MS;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if (s->clients[i].fd >= 0) shutdown(s->clients[i].fd, SHUT_WR);
  }
  for (int i = 0; i < MAX_CLIENTS; i++) part(&s->clients[i], until_ms);
  _exit(0);
}

static const char *open_up(struct shim *s) {
  const struct options *o = s->options;
  if (chdir(o->dir) != 0) return "enter the directory given by --dir";
  s->signals = take_signals();
  if (s->signals < 0) return "make a signalfd";
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return "become a subreaper";
  /* Of an earlier life in the same directory: it must not be taken for ours. */
  (void)unlink("pid");
  (void)unlink("exit.json");
  (void)unlink("state.json");
  const char *problem = o->entry != NULL ? enter_start(&s->runtime, o, &s->stdio) : runtime_start(&s->runtime, o, &s->stdio);
  if (problem != NULL) return problem;
  /* While the runtime works. A client can come only after the daemon has been told of the start. */
  s->listener = listen_here("shim.sock", MAX_CLIENTS);
  if (s->listener < 0) return "listen on shim.sock";
  log_open(&s->log, o->log_queue_bytes);
  return NULL;
}

_Noreturn void run_shim(const struct options *options, int daemon_fd) {
  struct shim *s = &the_shim;
  s->options = options;
  s->signals = s->listener = -1;
  s->stdio = (struct stdio){.in = -1, .out = {-1, -1}};
  s->runtime = (struct runtime){.verdict_fd = -1, .error_fd = -1, .console_fd = -1};
  s->log.file = (struct rotating_file){
    .path = options->log, .fd = -1, .max_bytes = options->log_max_bytes, .max_files = options->log_max_files,
    .is_compressed = options->log_compress};
  s->log.attributes = options->log_attributes;
  s->log.attributes_length = options->log_attributes == NULL ? 0 : strlen(options->log_attributes);
  s->stdin_queue = (struct stdin_queue){.fd = -1, .is_open = options->has_stdin, .is_terminal = options->tty};
  s->effects = (struct client_effects){.context = s, .stdin_queue = &s->stdin_queue, .resize = on_resize, .signal = on_signal, .go = on_go};
  for (int i = 0; i < MAX_CLIENTS; i++) s->clients[i].fd = -1;
  if (daemon_fd >= 0) {
    set_nonblocking(daemon_fd);
    set_cloexec(daemon_fd);
    client_init(&s->clients[0], daemon_fd, options->subscribe);
  }
  const char *problem = open_up(s);
  if (problem != NULL) {
    char text[256];
    snprintf(text, sizeof text, "%s: %s", problem, strerror(errno));
    fail_start(s, text);
  } else if (!options->tty) {
    s->stdin_queue.fd = s->stdio.in;
  }
  s->is_holding = problem == NULL && options->is_held;
  while (!is_done(s)) turn(s);
  leave(s);
}
