#define _GNU_SOURCE
#include "enter.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Forking a daemon costs time in proportion to its memory, in its main thread. So it keeps this small process, connects to its socket
 * for each shim or command that it wants, and sends one SPAWN frame with the arguments, separated by NUL. The process forked for the
 * connection keeps it: for a shim it is the first connection, for a command it carries output and exit code.
 */

#define SPAWN_FD 3
/* The environment and command of a further process, of which the kernel itself takes 2 MB as a rule. What is not used is no memory. */
#define SPAWN_MAX (4 * 1024 * 1024)
#define SPAWN_ARGUMENTS (64 * 1024)
#define SPAWN_TIMEOUT_MS 5000

static _Noreturn void refuse(const char *text) {
  (void)send_frame_blocking(SPAWN_FD, FRAME_FAILED, text, strlen(text));
  _exit(1);
}

static int read_request(char payload[SPAWN_MAX], char *argv[SPAWN_ARGUMENTS + 1]) {
  uint8_t header[FRAME_HEADER], type;
  uint32_t length;
  if (!read_exactly(SPAWN_FD, header, sizeof header, SPAWN_TIMEOUT_MS)) _exit(1);
  if (!frame_parse(header, &type, &length) || type != FRAME_SPAWN || length == 0 || length > SPAWN_MAX) refuse("not a spawn request");
  if (!read_exactly(SPAWN_FD, payload, length, SPAWN_TIMEOUT_MS)) _exit(1);
  if (payload[length - 1] != 0) refuse("the spawn request does not end its last argument");
  int count = 0;
  for (size_t at = 0; at < length; at += strlen(payload + at) + 1) {
    if (count == SPAWN_ARGUMENTS) refuse("the spawn request has too many arguments");
    argv[count++] = payload + at;
  }
  argv[count] = NULL;
  return count;
}

static pid_t start_command(char **argv, int streams[2]) {
  static char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  int out[2], err[2];
  if (argv[0] == NULL || argv[0][0] != '/') refuse("a command needs an absolute path");
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) refuse("no pipe for the command");
  pid_t pid = fork();
  if (pid < 0) refuse("cannot fork");
  if (pid == 0) {
    dup2(out[1], 1);
    dup2(err[1], 2);
    restore_signals();
    execve(argv[0], argv, environment);
    complain("execute %s: %s", argv[0], strerror(errno));
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  streams[0] = out[0];
  streams[1] = err[0];
  return pid;
}

/* The caller cancels a command by closing its connection. */
static void pass_output(pid_t pid, int streams[2]) {
  static char bytes[READ_MAX];
  struct pollfd polls[3] = {{.fd = streams[0], .events = POLLIN}, {.fd = streams[1], .events = POLLIN}, {.fd = SPAWN_FD}};
  while (polls[0].fd >= 0 || polls[1].fd >= 0) {
    if (poll(polls, 3, -1) < 0) continue;
    for (int i = 0; i < 2; i++) {
      if (polls[i].revents == 0) continue;
      ssize_t n = read(polls[i].fd, bytes, sizeof bytes);
      if (n > 0 && send_frame_blocking(SPAWN_FD, (uint8_t)(FRAME_STDOUT + i), bytes, (size_t)n)) continue;
      if (n < 0 && errno == EINTR) continue;
      polls[i].fd = -1;
    }
    if ((polls[2].revents & (POLLHUP | POLLERR)) != 0) {
      kill(pid, SIGKILL);
      _exit(0);
    }
  }
}

static _Noreturn void run_command(char **argv) {
  int streams[2], status = 0;
  char text[RECORD_MAX];
  signal(SIGCHLD, SIG_DFL);
  signal(SIGPIPE, SIG_IGN);
  struct exit_record record = {.started_at_ns = realtime_ns()};
  record.pid = start_command(argv, streams);
  pass_output(record.pid, streams);
  while (waitpid(record.pid, &status, 0) < 0 && errno == EINTR) continue;
  record.exited_at_ns = realtime_ns();
  record.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  record.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  (void)send_frame_blocking(SPAWN_FD, FRAME_EXITED, text, format_exited(text, sizeof text, &record));
  _exit(0);
}

static _Noreturn void spawned(int connection) {
  static char payload[SPAWN_MAX];
  static char *argv[SPAWN_ARGUMENTS + 1];
  static struct options options;
  static struct entry entry;
  setsid();
  dup2(connection, SPAWN_FD);
  redirect_stdio_to_null();
  close_from(SPAWN_FD + 1);
  set_cloexec(SPAWN_FD);
  int count = read_request(payload, argv);
  if (strcmp(argv[0], "command") == 0) run_command(argv + 1);
  bool is_enter = strcmp(argv[0], "enter") == 0;
  if (!is_enter && strcmp(argv[0], "run") != 0) refuse("only run, enter and command can be spawned");
  const char *problem = is_enter ? parse_enter_options(&options, &entry, count - 1, argv + 1)
                                 : parse_run_options(&options, count - 1, argv + 1);
  if (problem != NULL) refuse(problem);
  run_shim(&options, SPAWN_FD);
}

/* Only who may read the daemon's own files may have processes started. */
static bool is_own_user(int connection) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

static void accept_one(int listener) {
  int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) return;
  if (is_own_user(connection) && fork() == 0) spawned(connection);
  close(connection);
}

/* By way of its directory, because sockets allow 107 bytes. */
static int listen_at(const char *path) {
  char dir[PATH_MAX];
  const char *name = strrchr(path, '/') + 1;
  if (strlen(path) >= sizeof dir) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(dir, path, (size_t)(name - path));
  dir[name - path] = 0;
  return chdir(dir) == 0 ? listen_here(name, 128) : -1;
}

static bool copy_program(int from, int to) {
  ssize_t n;
  do n = sendfile(to, from, NULL, SPAWN_MAX);
  while (n > 0);
  return n == 0;
}

/*
 * The processes that we fork into containers can be asked by them for their program, as /proc/PID/exe, and it can be executed in there. What
 * they get must not be the file that everybody on the host executes: a container could write to it. So it is a sealed copy in memory.
 */
static bool execute_copy(char **argv) {
  static const char name[] = "glovebox-shim";
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self >= 0 && fcntl(self, F_GET_SEALS) >= 0 && (fcntl(self, F_GET_SEALS) & F_SEAL_WRITE) != 0) {
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    close(self);
    return true;
  }
  int copy = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (self < 0 || copy < 0 || !copy_program(self, copy)) return false;
  if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) return false;
  char *whole[] = {(char *)name, "serve", argv[0], argv[1], NULL};
  (void)fexecve(copy, whole, environ);
  return false;
}

int serve_main(int argc, char **argv) {
  if (argc != 2 || strcmp(argv[0], "--socket") != 0 || argv[1][0] != '/') {
    complain("serve: expected --socket and an absolute path");
    return 2;
  }
  if (!execute_copy(argv)) {
    complain("serve: execute a copy of the program: %s", strerror(errno));
    return 1;
  }
  int listener = listen_at(argv[1]);
  if (listener < 0) {
    complain("serve: listen on %s: %s", argv[1], strerror(errno));
    return 1;
  }
  setsid();
  /* The kernel reaps: nobody here asks how a child ended. */
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  (void)write_all(1, "ready\n", 6);
  struct pollfd polls[2] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
  for (;;) {
    if (poll(polls, 2, -1) < 0) continue;
    if (polls[1].revents != 0) accept_one(listener);
    /* Nothing is ever sent on stdin: its end is the end of the daemon. */
    if (polls[0].revents != 0) break;
  }
  /* The socket's file stays: by now it may be the one of our successor, who unlinks what it finds before it binds. */
  return 0;
}
