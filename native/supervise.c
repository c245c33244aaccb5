#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 5000
/* A life this long counts as health: the next death starts from the first delay again. */
#define HEALTHY_MS 60000
#define DEFAULT_LOG_BYTES (10 * 1024 * 1024)

struct supervision {
  char **argv;
  struct rotating_file log;
  int signals;
  pid_t child; /* 0: none at present */
  int output;
  int64_t born_ms;
  int64_t delay_ms;
  bool is_ending;
};

static void say(struct supervision *s, const char *text) {
  char line[256];
  int n = snprintf(line, sizeof line, "glovebox-shim: %s\n", text);
  rotating_make_room(&s->log, (size_t)n);
  (void)rotating_append(&s->log, line, (size_t)n);
}

/* `report` gets errno if the program cannot be executed, and closes if it can. */
static void start_child(struct supervision *s, int report) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) != 0) return;
  pid_t parent = getpid();
  s->born_ms = monotonic_ms();
  s->child = fork();
  if (s->child == 0) {
    /* An unsupervised daemon would be in the way of the next one. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    dup2(pair[1], 1);
    dup2(pair[1], 2);
    restore_signals();
    execvp(s->argv[0], s->argv);
    int reason = errno;
    if (report >= 0) (void)!write(report, &reason, sizeof reason);
    complain("execute %s: %s", s->argv[0], strerror(reason));
    _exit(127);
  }
  close(pair[1]);
  if (s->child < 0) s->child = 0;
  if (s->output >= 0) close(s->output);
  s->output = pair[0];
  set_nonblocking(s->output);
}

static void copy_output(struct supervision *s) {
  static char bytes[READ_MAX];
  for (int turns = 0; s->output >= 0 && turns < 16; turns++) {
    ssize_t n = read(s->output, bytes, sizeof bytes);
    if (n < 0) return;
    if (n == 0) {
      close(s->output);
      s->output = -1;
      return;
    }
    rotating_make_room(&s->log, (size_t)n);
    (void)rotating_append(&s->log, bytes, (size_t)n);
  }
}

/* -1: to be started again. Otherwise the exit code with which all ends. */
static int after_death(struct supervision *s, int status) {
  char text[128];
  copy_output(s);
  s->child = 0;
  if (s->is_ending || status == 0) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (monotonic_ms() - s->born_ms >= HEALTHY_MS) s->delay_ms = DELAY_FIRST_MS;
  snprintf(text, sizeof text, "%.60s %s %d, starts again in %d ms", s->argv[0], WIFEXITED(status) ? "exited with code" : "was killed by signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), (int)s->delay_ms);
  say(s, text);
  return -1;
}

static int reap_child(struct supervision *s) {
  int status, code = -1;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == s->child) code = after_death(s, status);
  }
  return code;
}

static bool was_told_to_end(struct supervision *s) {
  struct signalfd_siginfo event;
  bool told = false;
  while (read(s->signals, &event, sizeof event) == (ssize_t)sizeof event) told = told || event.ssi_signo == SIGTERM;
  return told;
}

static _Noreturn void supervise(struct supervision *s, int report) {
  start_child(s, report);
  close(report);
  s->delay_ms = DELAY_FIRST_MS;
  int64_t restart_at = 0;
  for (;;) {
    struct pollfd polls[2] = {{.fd = s->signals, .events = POLLIN}, {.fd = s->output, .events = POLLIN}};
    int64_t wait = s->child != 0 ? -1 : restart_at - monotonic_ms();
    int timeout = s->child != 0 ? -1 : wait > 0 ? (int)wait : 0;
    (void)poll(polls, 2, timeout);
    copy_output(s);
    if (polls[0].revents != 0 && was_told_to_end(s)) {
      s->is_ending = true;
      if (s->child == 0) _exit(0);
      kill(s->child, SIGTERM);
    }
    bool had_child = s->child != 0;
    int code = reap_child(s);
    if (code >= 0) _exit(code);
    if (had_child && s->child == 0) {
      restart_at = monotonic_ms() + s->delay_ms;
      s->delay_ms = s->delay_ms * 2 < DELAY_MAX_MS ? s->delay_ms * 2 : DELAY_MAX_MS;
    }
    if (s->child == 0 && monotonic_ms() >= restart_at) start_child(s, -1);
  }
}

/* The lock, held for as long as the supervisor lives, tells the living from a file left behind. */
static int claim_pid_file(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    complain("supervise: open %s: %s", path, strerror(errno));
    return -1;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = "";
    ssize_t n = read(fd, pid, sizeof pid - 1);
    complain("supervise: already running with pid %.*s", n > 0 ? (int)strcspn(pid, "\n") : 0, pid);
    close(fd);
    return -1;
  }
  return fd;
}

static bool write_pid(int fd) {
  char text[32];
  int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
  return ftruncate(fd, 0) == 0 && write(fd, text, (size_t)n) == n;
}

/* Waits until the program runs or has proved not to be executable. */
static int wait_for_exec(int report, const char *program) {
  int reason = 0;
  if (!read_exactly(report, &reason, sizeof reason, 10000)) return 0;
  complain("supervise: execute %s: %s", program, strerror(reason));
  return 127;
}

static _Noreturn void go_background(struct supervision *s, int pid_fd, int report) {
  setsid();
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  s->signals = take_signals();
  rotating_open(&s->log);
  if (s->signals < 0 || !write_pid(pid_fd)) _exit(1);
  supervise(s, report);
}

static int parse(struct supervision *s, const char **pid_file, int argc, char **argv) {
  int i = 0;
  for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
    if (strcmp(argv[i], "--pid-file") == 0) *pid_file = argv[i + 1];
    else if (strcmp(argv[i], "--log") == 0) s->log.path = argv[i + 1];
    else if (strcmp(argv[i], "--log-max-bytes") != 0 || !parse_number(argv[i + 1], INT64_MAX, &s->log.max_bytes)) {
      complain("supervise: unknown option or bad number: %s %s", argv[i], argv[i + 1]);
      return 2;
    }
  }
  s->argv = i + 1 < argc ? argv + i + 1 : NULL;
  if (*pid_file != NULL && s->log.path != NULL && s->argv != NULL) return 0;
  complain("supervise: expected --pid-file FILE --log FILE -- PROGRAM");
  return 2;
}

int supervise_main(int argc, char **argv) {
  static struct supervision s = {.output = -1, .log = {.fd = -1, .max_bytes = DEFAULT_LOG_BYTES, .max_files = 2}};
  const char *pid_file = NULL;
  int report[2];
  int wrong = parse(&s, &pid_file, argc, argv);
  if (wrong != 0) return wrong;
  int pid_fd = claim_pid_file(pid_file);
  if (pid_fd < 0 || pipe2(report, O_CLOEXEC) != 0) return 1;
  pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid > 0) {
    close(report[1]);
    return wait_for_exec(report[0], s.argv[0]);
  }
  close(report[0]);
  go_background(&s, pid_fd, report[1]);
}
