#define _GNU_SOURCE

#include "ask.h"
#include "shim.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A command that the daemon runs in our place. The request is a line of JSON that says where and how we stand, and then a line for each signal and
 * each new size of the terminal. The answer is frames: what to write to which stream, and at last the exit code. Any status but 200 means that the
 * command is ours to run.
 */

/* As frame types: the first two are those of the streams. */
#define FRAME_EXIT 3
#define HEAD_MAX 4096

static const char request_head[] =
  "POST /glovebox/v1/command-line/run HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\n"
  "Transfer-Encoding: chunked\r\n\r\n";

static volatile sig_atomic_t caught_signal, is_resized;
/* The one that was told to the daemon. */
static int told_signal;

static void on_signal(int number) {
  caught_signal = number;
}

static void on_resize(int number) {
  (void)number;
  is_resized = 1;
}

static void listen_to_signals(void) {
  /* Once: the second Ctrl-C ends this process, and with it the connection. */
  struct sigaction told = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, resized = {.sa_handler = on_resize};
  sigaction(SIGINT, &told, NULL);
  sigaction(SIGTERM, &told, NULL);
  sigaction(SIGWINCH, &resized, NULL);
}

static void forget_signals(void) {
  for (size_t i = 0; i < 4; i++) signal((const int[]){SIGINT, SIGTERM, SIGWINCH, SIGPIPE}[i], SIG_DFL);
}

/* ---- the request ---- */

static bool send_chunk(int fd, const char *text, size_t length) {
  char size[32];
  int digits = snprintf(size, sizeof size, "%zx\r\n", length);
  return write_all(fd, size, (size_t)digits) && write_all(fd, text, length) && write_all(fd, "\r\n", 2);
}

static size_t put_text(char *out, const char *name, const char *value) {
  size_t at = (size_t)sprintf(out, ",\"%s\":\"", name);
  at += json_escape(out + at, (const uint8_t *)value, strlen(value));
  out[at++] = '"';
  return at;
}

static size_t put_stream(char *out, const char *name, int fd) {
  struct winsize size = {0};
  bool is_terminal = isatty(fd) == 1;
  if (is_terminal) (void)ioctl(fd, TIOCGWINSZ, &size);
  return (size_t)sprintf(out, ",\"%s\":{\"isTty\":%s,\"columns\":%u,\"rows\":%u}", name, is_terminal ? "true" : "false", size.ws_col, size.ws_row);
}

/*
 * Names the command line that PROGRAM is a part of, for the daemon to compare with its own: the file, and when it was written. Both are bundled
 * into the same directory.
 */
static bool name_program(char *out, size_t room, const char *program) {
  char path[PATH_MAX];
  struct stat stats;
  const char *slash = strrchr(program, '/');
  int length = slash == NULL ? -1 : snprintf(path, sizeof path, "%.*s/cli-lib.cjs", (int)(slash - program), program);
  if (length < 0 || (size_t)length >= sizeof path || stat(path, &stats) != 0) return false;
  snprintf(out, room, "%ju:%ju:%jd.%09ld", (uintmax_t)stats.st_dev, (uintmax_t)stats.st_ino, (intmax_t)stats.st_mtim.tv_sec, stats.st_mtim.tv_nsec);
  return true;
}

/* What the command line reads of the environment when it builds. */
static const char *const variables[] = {"HOME", "DOCKER_CONFIG", "NO_COLOR", "TERM"};

static bool send_request(int fd, const char *program, int count, char **words) {
  char identity[128], cwd[PATH_MAX];
  if (!name_program(identity, sizeof identity, program) || getcwd(cwd, sizeof cwd) == NULL || cwd[0] != '/') return false;
  size_t room = words_room(count, words) + strlen(cwd) * JSON_EXPANSION + 1024;
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = getenv(variables[i]);
    room += value == NULL ? 0 : strlen(value) * JSON_EXPANSION + 32;
  }
  char *line = malloc(room);
  if (line == NULL) return false;
  size_t at = (size_t)sprintf(line, "{\"words\":");
  at += put_words(line + at, count, words);
  at += put_text(line + at, "program", identity);
  at += put_text(line + at, "cwd", cwd);
  at += put_stream(line + at, "stdout", STDOUT_FILENO);
  at += put_stream(line + at, "stderr", STDERR_FILENO);
  at += (size_t)sprintf(line + at, ",\"env\":{\"\":\"\"");
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = getenv(variables[i]);
    if (value != NULL) at += put_text(line + at, variables[i], value);
  }
  at += (size_t)sprintf(line + at, "}}\n");
  bool is_sent = write_all(fd, request_head, sizeof request_head - 1) && send_chunk(fd, line, at);
  free(line);
  return is_sent;
}

static void tell_daemon(int fd) {
  char line[128];
  if (is_resized) {
    is_resized = 0;
    size_t at = (size_t)sprintf(line, "{\"kind\":\"resized\"");
    at += put_stream(line + at, "stdout", STDOUT_FILENO);
    at += put_stream(line + at, "stderr", STDERR_FILENO);
    at += (size_t)sprintf(line + at, "}\n");
    (void)send_chunk(fd, line, at);
  }
  if (caught_signal != 0) {
    size_t at = (size_t)sprintf(line, "{\"kind\":\"signal\",\"name\":\"%s\"}\n", caught_signal == SIGINT ? "SIGINT" : "SIGTERM");
    told_signal = caught_signal;
    caught_signal = 0;
    (void)send_chunk(fd, line, at);
  }
}

/* ---- the answer ---- */

struct answer {
  int fd;
  char head[HEAD_MAX];
  size_t head_length;
  bool is_running; /* the head was read: the daemon runs the command */
  uint8_t header[FRAME_HEADER];
  size_t header_length;
  uint8_t type;
  uint32_t left; /* of the payload */
  uint8_t code[4];
  size_t code_length;
};

enum { GOES_ON, NOT_OURS, BROKEN, ENDED };

/* Waits for bytes, and tells the daemon of what happens to us meanwhile. -1: the connection is broken. */
static ssize_t read_some(int fd, void *into, size_t room) {
  sigset_t ours, before;
  sigemptyset(&ours);
  for (size_t i = 0; i < 3; i++) sigaddset(&ours, (const int[]){SIGINT, SIGTERM, SIGWINCH}[i]);
  for (;;) {
    /* Held back from the look at what they left until the wait, which they end: none comes unseen in between. */
    sigprocmask(SIG_BLOCK, &ours, &before);
    tell_daemon(fd);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = ppoll(&wait, 1, NULL, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (ready < 0) continue;
    ssize_t got = read(fd, into, room);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return got;
  }
}

static int take_payload(struct answer *answer, const uint8_t *bytes, size_t length) {
  if (answer->type == STDOUT_FILENO || answer->type == STDERR_FILENO) {
    /* A reader that is gone (`| head`) is no failure, but there is nothing more to do for it. */
    return write_all(answer->type, bytes, length) ? GOES_ON : ENDED;
  }
  if (answer->type != FRAME_EXIT || answer->code_length + length > sizeof answer->code) return BROKEN;
  memcpy(answer->code + answer->code_length, bytes, length);
  answer->code_length += length;
  return answer->code_length == sizeof answer->code ? ENDED : GOES_ON;
}

static int take_frames(struct answer *answer, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    size_t piece;
    if (answer->left == 0) {
      piece = FRAME_HEADER - answer->header_length < length ? FRAME_HEADER - answer->header_length : length;
      memcpy(answer->header + answer->header_length, bytes, piece);
      answer->header_length += piece;
      if (answer->header_length == FRAME_HEADER) {
        answer->header_length = 0;
        if (!frame_parse(answer->header, &answer->type, &answer->left)) return BROKEN;
      }
    } else {
      piece = answer->left < length ? answer->left : length;
      int state = take_payload(answer, bytes, piece);
      if (state != GOES_ON) return state;
      answer->left -= (uint32_t)piece;
    }
    bytes += piece;
    length -= piece;
  }
  return GOES_ON;
}

/* The head of the answer; what comes behind it are frames. */
static int take_head(struct answer *answer, size_t length) {
  static const char ok[] = "HTTP/1.1 200 ";
  answer->head_length += length;
  const char *end = memmem(answer->head, answer->head_length, "\r\n\r\n", 4);
  if (end == NULL) return answer->head_length == sizeof answer->head ? NOT_OURS : GOES_ON;
  if (memcmp(answer->head, ok, sizeof ok - 1) != 0) return NOT_OURS;
  answer->is_running = true;
  const char *frames = end + 4;
  return take_frames(answer, (const uint8_t *)frames, (size_t)(answer->head + answer->head_length - frames));
}

static int read_frames(struct answer *answer) {
  static uint8_t bytes[READ_MAX];
  for (;;) {
    bool is_head = !answer->is_running;
    ssize_t got = is_head ? read_some(answer->fd, answer->head + answer->head_length, sizeof answer->head - answer->head_length)
                          : read_some(answer->fd, bytes, sizeof bytes);
    if (got <= 0) return answer->is_running ? BROKEN : NOT_OURS;
    int state = is_head ? take_head(answer, (size_t)got) : take_frames(answer, bytes, (size_t)got);
    if (state != GOES_ON) return state;
  }
}

int run_there(int fd, const char *program, int count, char **words) {
  static struct answer answer;
  struct timeval forever = {0};
  answer.fd = fd;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
  /* A daemon that refuses before it has read everything closes the connection under our hands. */
  signal(SIGPIPE, SIG_IGN);
  bool is_sent = send_request(fd, program, count, words);
  if (is_sent) listen_to_signals();
  int state = is_sent ? read_frames(&answer) : NOT_OURS;
  if (state == ENDED) return answer.code_length == sizeof answer.code ? (int)read_u32be(answer.code) : 0;
  forget_signals();
  if (state == NOT_OURS) {
    /* As it would have ended us had the daemon not been asked. */
    if (told_signal != 0) raise(told_signal);
    return -1;
  }
  complain("the daemon went away before the command was done");
  return 1;
}
