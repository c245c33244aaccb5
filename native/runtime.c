#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * In detached mode the runtime's own stderr is the container's as well. To tell its errors from the container's output it is
 * told to log to a memory file of ours, by way of /proc/PID/fd, so that it inherits no descriptor that could leak further.
 * The names below begin with our /proc directory for the same reason that they are short: sockets allow 107 bytes.
 */
struct names {
  char log[64];
  char console[64];
  char pid_file[64];
};

static void name_files(struct names *names, int error_fd) {
  int self = (int)getpid();
  snprintf(names->log, sizeof names->log, "/proc/%d/fd/%d", self, error_fd);
  snprintf(names->console, sizeof names->console, "/proc/%d/cwd/console.sock", self);
  snprintf(names->pid_file, sizeof names->pid_file, "/proc/%d/cwd/pid", self);
}

#define MAX_ARGUMENTS 24

static void build_arguments(const char *argv[MAX_ARGUMENTS], const struct options *o, const struct names *names) {
  size_t n = 0;
  argv[n++] = o->runtime;
  argv[n++] = "--root";
  argv[n++] = o->state_root;
  argv[n++] = "--log";
  argv[n++] = names->log;
  argv[n++] = "run";
  argv[n++] = "--detach";
  argv[n++] = "--bundle";
  argv[n++] = o->bundle;
  argv[n++] = "--pid-file";
  argv[n++] = names->pid_file;
  if (o->tty) {
    argv[n++] = "--console-socket";
    argv[n++] = names->console;
  }
  argv[n++] = o->id;
  argv[n] = NULL;
}

/* The witness of a container should not be what the kernel kills to free memory. Where that is denied nothing changes. */
static bool protect_from_oom(int *before) {
  char text[16];
  int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = 0;
  *before = atoi(text);
  return set_oom_score(-999);
}

static _Noreturn void become_runtime(const struct options *o, const struct names *names, const int ends[3], const int *oom_score) {
  const char *argv[MAX_ARGUMENTS];
  /* Nothing of the daemon's environment: the runtime would take NOTIFY_SOCKET and LISTEN_FDS as meant for the container. */
  static char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  build_arguments(argv, o, names);
  for (int fd = 0; fd < 3; fd++) {
    if (ends[fd] >= 0) dup2(ends[fd], fd);
  }
  if (oom_score != NULL) (void)set_oom_score(*oom_score);
  restore_signals();
  execve(o->runtime, (char **)argv, environment);
  char text[512];
  int n = snprintf(text, sizeof text, "execute %s: %s\n", o->runtime, strerror(errno));
  int log = open(names->log, O_WRONLY | O_APPEND);
  if (log >= 0) (void)!write(log, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
  _exit(127);
}

const char *runtime_start(struct runtime *runtime, const struct options *o, struct stdio *stdio) {
  int ours[3] = {-1, -1, -1}, ends[3] = {-1, -1, -1};
  struct names names;
  int oom_score = 0;
  runtime->error_fd = memfd_create("runtime-log", MFD_CLOEXEC);
  if (runtime->error_fd < 0) return "make a memory file for the runtime's log";
  name_files(&names, runtime->error_fd);
  if (!make_pipes(o, ours, ends)) return "make pipes for stdin, stdout and stderr";
  if (o->tty && (runtime->console_fd = listen_here("console.sock", 1)) < 0) return "listen on console.sock";
  bool is_protected = protect_from_oom(&oom_score);
  runtime->pid = fork();
  if (runtime->pid < 0) return "fork the runtime";
  if (runtime->pid == 0) become_runtime(o, &names, ends, is_protected ? &oom_score : NULL);
  for (int fd = 0; fd < 3; fd++) {
    if (ends[fd] >= 0) close(ends[fd]);
  }
  stdio->in = ours[0];
  stdio->out[0] = ours[1];
  stdio->out[1] = ours[2];
  return NULL;
}

bool runtime_take_console(struct runtime *runtime, struct stdio *stdio) {
  if (runtime->console_fd < 0) return stdio->out[0] >= 0;
  int connection = accept4(runtime->console_fd, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) return false;
  char bytes[256];
  int terminal = -1;
  struct pollfd wait = {.fd = connection, .events = POLLIN};
  if (poll(&wait, 1, 1000) == 1) (void)receive_descriptor(connection, bytes, sizeof bytes, &terminal);
  close(connection);
  if (terminal < 0) return false;
  close(runtime->console_fd);
  runtime->console_fd = -1;
  (void)unlink("console.sock");
  adopt_terminal(stdio, terminal);
  return true;
}

size_t runtime_text(const struct runtime *runtime, char *out, size_t room) {
  ssize_t n = pread(runtime->error_fd, out, room - 1, 0);
  size_t length = n > 0 ? (size_t)n : 0;
  while (length > 0 && (out[length - 1] == '\n' || out[length - 1] == ' ')) length--;
  out[length] = 0;
  return length;
}

pid_t runtime_read_pid(void) {
  char text[32];
  int fd = open("pid", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  return (pid_t)strtol(text, NULL, 10);
}
