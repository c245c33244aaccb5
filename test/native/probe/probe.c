/* The program inside the test containers: does what its arguments say, one after the other. Static, so that it needs no rootfs but itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void write_out(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n <= 0) exit(90);
    bytes += n;
    length -= (size_t)n;
  }
}

static void echo_stdin(void) {
  char bytes[65536];
  for (ssize_t n; (n = read(0, bytes, sizeof bytes)) > 0;) write_out(1, bytes, (size_t)n);
  write_out(1, "<eof>", 5);
}

static void count_stdin(void) {
  char bytes[65536], text[64];
  unsigned long long total = 0;
  for (ssize_t n; (n = read(0, bytes, sizeof bytes)) > 0;) total += (unsigned long long)n;
  write_out(1, text, (size_t)snprintf(text, sizeof text, "%llu", total));
}

static void flood(unsigned long long bytes) {
  static char block[65536];
  for (size_t i = 0; i < sizeof block; i++) block[i] = i % 64 == 63 ? '\n' : (char)('a' + i % 26);
  for (; bytes > sizeof block; bytes -= sizeof block) write_out(1, block, sizeof block);
  write_out(1, block, bytes);
}

static volatile sig_atomic_t resized;
static void on_resize(int number) {
  (void)number;
  resized = 1;
}

static void print_size(void) {
  struct winsize size = {0};
  char text[64];
  ioctl(0, TIOCGWINSZ, &size);
  write_out(1, text, (size_t)snprintf(text, sizeof text, "%d x %d\n", size.ws_row, size.ws_col));
}

static void watch_size(void) {
  struct winsize size;
  struct sigaction action = {.sa_handler = on_resize};
  sigaction(SIGWINCH, &action, NULL);
  sigset_t winch, old;
  sigemptyset(&winch);
  sigaddset(&winch, SIGWINCH);
  sigprocmask(SIG_BLOCK, &winch, &old);
  printf("ready\n");
  fflush(stdout);
  while (!resized) sigsuspend(&old);
  ioctl(0, TIOCGWINSZ, &size);
  printf("%d x %d\n", size.ws_row, size.ws_col);
  fflush(stdout);
}

static void on_term(int number) {
  (void)number;
  write_out(1, "term\n", 5);
  _exit(42);
}

static void cat(const char *path) {
  char bytes[65536];
  int fd = open(path, O_RDONLY);
  if (fd < 0) {
    printf("%s: %s\n", path, strerror(errno));
    fflush(stdout);
    return;
  }
  for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) write_out(1, bytes, (size_t)n);
  close(fd);
}

/* What the kernel says of a system call that takes small numbers. */
static void call(const char *text) {
  long number = 0, a = 0, b = 0, c = 0;
  sscanf(text, "%ld,%ld,%ld,%ld", &number, &a, &b, &c);
  errno = 0;
  long result = syscall(number, a, b, c);
  printf("%s\n", result < 0 ? strerror(errno) : "ok");
  fflush(stdout);
}

static void leave_behind(void) {
  if (fork() == 0) {
    setsid();
    sleep(3);
    _exit(0);
  }
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *verb = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(verb, "out") == 0) write_out(1, value, strlen(value)), i++;
    else if (strcmp(verb, "err") == 0) write_out(2, value, strlen(value)), i++;
    else if (strcmp(verb, "exit") == 0) return atoi(value);
    else if (strcmp(verb, "raise") == 0) signal(atoi(value), SIG_DFL), kill(getpid(), atoi(value)), pause();
    else if (strcmp(verb, "echo") == 0) echo_stdin();
    else if (strcmp(verb, "count") == 0) count_stdin();
    else if (strcmp(verb, "flood") == 0) flood(strtoull(value, NULL, 10)), i++;
    else if (strcmp(verb, "size") == 0) watch_size();
    else if (strcmp(verb, "winsize") == 0) print_size();
    else if (strcmp(verb, "trap") == 0) signal(SIGTERM, on_term), write_out(1, "ready\n", 6), pause();
    else if (strcmp(verb, "wait") == 0) pause();
    else if (strcmp(verb, "sleep") == 0) usleep((useconds_t)(atoi(value) * 1000)), i++;
    else if (strcmp(verb, "close") == 0) close(atoi(value)), i++;
    else if (strcmp(verb, "cat") == 0) cat(value), i++;
    else if (strcmp(verb, "call") == 0) call(value), i++;
    else if (strcmp(verb, "behind") == 0) leave_behind();
    else return 91;
  }
  return 0;
}
