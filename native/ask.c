#define _GNU_SOURCE

#include "ask.h"
#include "shim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * glovebox-shim ask NODE PROGRAM [WORD...]: has the daemon, which is running and warm, draw what a read-only command prints, or run a build.
 * Whatever is out of the ordinary - another daemon, no daemon, a command that fails - is left to NODE PROGRAM WORD..., which this process then
 * becomes.
 */

#define DEFAULT_SOCKET "/run/glovebox/docker.sock"
/* Longer lists are not waited for: Node prints them while they come. */
#define ANSWER_MAX (16u << 20)
#define TIMEOUT_S 5

static const char head_format[] =
  "POST /glovebox/v1/command-line HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n";

/* Words that choose a daemon or its place; the command line reads them. */
static bool is_choice(const char *word) {
  static const char *const names[] = {"--host", "--socket", "--run-dir", "--root", "--instance-name", "--config", "--context"};
  if (strncmp(word, "-H", 2) == 0) return true;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(word, names[i], strlen(names[i])) == 0) return true;
  return false;
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value == NULL || *value == '\0' ? NULL : value;
}

/* The socket that the command line would choose; false where it is not a plain one. The rules are those of src/cli/daemon/paths.ts. */
static bool choose_socket(char *path, size_t room) {
  const char *host = variable("GLOVEBOX_HOST"), *run_dir = variable("GLOVEBOX_RUN_DIR"), *docker = variable("DOCKER_HOST");
  int length;
  if (host != NULL) {
    if (strncmp(host, "unix://", 7) == 0) host += 7;
    else if (strstr(host, "://") != NULL) return false;
    if (*host != '/') return false;
    length = snprintf(path, room, "%s", host);
  } else if (docker != NULL && strncmp(docker, "unix://", 7) != 0) {
    return false;
  } else if (run_dir != NULL) {
    length = snprintf(path, room, "%s/docker.sock", run_dir);
  } else {
    length = snprintf(path, room, DEFAULT_SOCKET);
  }
  return length > 0 && (size_t)length < room;
}

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct timeval timeout = {.tv_sec = TIMEOUT_S};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

size_t words_room(int count, char **words) {
  size_t room = 8;
  for (int i = 0; i < count; i++) room += strlen(words[i]) * JSON_EXPANSION + 4;
  return room;
}

size_t put_words(char *out, int count, char **words) {
  size_t at = 0;
  out[at++] = '[';
  for (int i = 0; i < count; i++) {
    if (i > 0) out[at++] = ',';
    out[at++] = '"';
    at += json_escape(out + at, (const uint8_t *)words[i], strlen(words[i]));
    out[at++] = '"';
  }
  out[at++] = ']';
  return at;
}

/* {"words":["ps","-a"]} with its head; the caller frees it. */
static char *request_of(int count, char **words, size_t *length) {
  size_t room = words_room(count, words) + 64;
  char *body = malloc(room), *request = malloc(room + sizeof head_format + 64);
  if (body == NULL || request == NULL) {
    free(body);
    free(request);
    return NULL;
  }
  size_t at = (size_t)sprintf(body, "{\"words\":");
  at += put_words(body + at, count, words);
  body[at++] = '}';
  size_t head = (size_t)sprintf(request, head_format, at);
  memcpy(request + head, body, at);
  free(body);
  *length = head + at;
  return request;
}

/* The whole answer, or NULL. */
static char *read_answer(int fd, size_t *length) {
  size_t room = 64 << 10, used = 0;
  char *answer = malloc(room);
  while (answer != NULL) {
    ssize_t got = read(fd, answer + used, room - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    used += (size_t)got;
    if (got == 0) {
      *length = used;
      return answer;
    }
    if (used < room) continue;
    if (room >= ANSWER_MAX) break;
    char *more = realloc(answer, room *= 2);
    if (more == NULL) break;
    answer = more;
  }
  free(answer);
  return NULL;
}

/* Prints the text of an answer with status 200 that is complete. */
static bool print_answer(const char *answer, size_t length) {
  static const char ok[] = "HTTP/1.1 200 ", field[] = "content-length: ";
  if (length < sizeof ok || memcmp(answer, ok, sizeof ok - 1) != 0) return false;
  const char *end = memmem(answer, length, "\r\n\r\n", 4);
  if (end == NULL) return false;
  const char *size = memmem(answer, (size_t)(end - answer), field, sizeof field - 1);
  if (size == NULL) return false;
  const char *text = end + 4;
  size_t wanted = strtoul(size + sizeof field - 1, NULL, 10);
  if ((size_t)(answer + length - text) != wanted) return false;
  /* A reader that is gone (`| head`) is no failure. */
  (void)write_all(STDOUT_FILENO, text, wanted);
  return true;
}

static int connect_chosen(int count, char **words) {
  struct sockaddr_un address;
  char path[sizeof address.sun_path];
  if (count == 0 || !choose_socket(path, sizeof path)) return -1;
  for (int i = 0; i < count; i++)
    if (is_choice(words[i])) return -1;
  return connect_to(path);
}

static bool draw(int fd, int count, char **words) {
  size_t length = 0;
  char *request = request_of(count, words, &length), *answer = NULL;
  if (request != NULL && write_all(fd, request, length)) answer = read_answer(fd, &length);
  bool is_done = answer != NULL && print_answer(answer, length);
  free(request);
  free(answer);
  return is_done;
}

/* The exit code, or -1: the daemon does not do it. */
static int ask(const char *program, int count, char **words) {
  bool is_build = count > 0 && strcmp(words[0], "build") == 0;
  /* The daemon's clock stands in its own zone. Builds tell no time of day. */
  if (!is_build && variable("TZ") != NULL) return -1;
  int fd = connect_chosen(count, words);
  if (fd < 0) return -1;
  int code = is_build ? run_there(fd, program, count, words) : draw(fd, count, words) ? 0 : -1;
  close(fd);
  return code;
}

int ask_main(int argc, char **argv) {
  if (argc < 2) return 2;
  int code = ask(argv[1], argc - 2, argv + 2);
  if (code >= 0) return code;
  execv(argv[0], argv);
  complain("run %s: %s", argv[0], strerror(errno));
  return 126;
}
