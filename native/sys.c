#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t realtime_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void set_cloexec(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool write_all(int fd, const void *bytes, size_t length) {
  const char *next = bytes;
  while (length > 0) {
    ssize_t n = write(fd, next, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      (void)poll(&wait, 1, -1);
      continue;
    }
    if (n <= 0) return false;
    next += n;
    length -= (size_t)n;
  }
  return true;
}

bool send_frame_blocking(int fd, uint8_t type, const void *payload, size_t length) {
  uint8_t header[FRAME_HEADER];
  frame_header(header, type, (uint32_t)length);
  return write_all(fd, header, sizeof header) && write_all(fd, payload, length);
}

bool read_exactly(int fd, void *into, size_t length, int timeout_ms) {
  int64_t deadline = monotonic_ms() + timeout_ms;
  char *next = into;
  while (length > 0) {
    int64_t left = deadline - monotonic_ms();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (left <= 0) return false;
    if (poll(&wait, 1, (int)left) <= 0) continue;
    ssize_t n = read(fd, next, length);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    next += n;
    length -= (size_t)n;
  }
  return true;
}

int listen_here(const char *name, int backlog) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(name) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  (void)unlink(name);
  mode_t before = umask(0177);
  int failed = bind(fd, (struct sockaddr *)&address, sizeof address);
  umask(before);
  if (failed || listen(fd, backlog)) {
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
  }
  return fd;
}

void redirect_stdio_to_null(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  if (null > 2) close(null);
}

void close_from(int first) {
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = first; fd < (int)limit.rlim_cur; fd++) close(fd);
}

bool set_oom_score(int score) {
  char text[16];
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  int length = snprintf(text, sizeof text, "%d", score);
  bool is_set = write(fd, text, (size_t)length) == length;
  close(fd);
  return is_set;
}

/* Nothing but SIGKILL ends a shim before its container: the operator stops the container, not its witness. */
static const int IGNORED[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTTIN, SIGTTOU};

int take_signals(void) {
  for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++) signal(IGNORED[i], SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_SETMASK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void restore_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void complain(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  size_t length = n < 0 ? 0 : (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
  line[length] = '\n';
  (void)!write(2, "glovebox-shim: ", 15);
  (void)!write(2, line, length + 1);
}
