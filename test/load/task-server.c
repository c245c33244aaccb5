/*
 * A task of a service under load: a small web server with one thread for each connection. What it does is said by its environment:
 *
 *   PORT             where it listens (8080)
 *   VERSION          a word that stands in each answer
 *   LISTEN_AFTER_MS  it takes so long until it listens
 *   EXIT_AFTER_MS    it ends by itself, with exit code 3
 *   ERROR_PERCENT    so many of 100 answers are 500
 *   DELAY_MS         so long an answer takes
 *
 * Paths: `/health`, `/events?COUNT` (server-sent events, one each 50 ms), a websocket anywhere (echoes texts, with the version before them); all else answers with the version and
 * the name of the host. On SIGTERM it accepts nothing more, finishes what it has begun, cuts websockets, and ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HEAD = 16384, MAX_TEXT = 125, EVENT_EVERY_MS = 50, LAST_WORDS_MS = 5000, LAST_LOOK_MS = 10 };

static atomic_int is_ending, busy, counter;
static int delay_ms, error_percent, ending_fd;
static const char *version;
static char task[65];

static void pause_ms(int ms) {
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000L};
  while (nanosleep(&time, &time) != 0 && errno == EINTR) continue;
}

/* 1: there is something to read, or the other side is gone. 0: nothing, and the end has come. */
static int wait_for(int fd) {
  for (;;) {
    struct pollfd both[2] = {{fd, POLLIN, 0}, {ending_fd, POLLIN, 0}};
    if (poll(both, 2, -1) < 0) continue;
    if (both[0].revents != 0) return 1;
    if (both[1].revents != 0) return 0;
  }
}

static int number(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text == NULL || *text == 0 ? otherwise : atoi(text);
}

static int send_all(int fd, const void *bytes, size_t length) {
  const char *next = bytes;
  while (length > 0) {
    ssize_t sent = send(fd, next, length, MSG_NOSIGNAL);
    if (sent <= 0) return -1;
    next += sent;
    length -= (size_t)sent;
  }
  return 0;
}

/* FIPS 180-4, of less than 120 bytes. */
static void sha1(const unsigned char *text, size_t length, unsigned char digest[20]) {
  uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  unsigned char padded[128] = {0};
  size_t blocks = length + 9 > 64 ? 2 : 1;
  memcpy(padded, text, length);
  padded[length] = 0x80;
  for (int i = 0; i < 8; i++) padded[blocks * 64 - 1 - i] = (unsigned char)((uint64_t)length * 8 >> (8 * i));
  for (size_t block = 0; block < blocks; block++) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++) {
      const unsigned char *at = padded + block * 64 + i * 4;
      w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    for (int i = 16; i < 80; i++) {
      uint32_t x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
      w[i] = x << 1 | x >> 31;
    }
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
      uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
      uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
      uint32_t next = (a << 5 | a >> 27) + f + e + k + w[i];
      e = d, d = c, c = b << 30 | b >> 2, b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
  }
  for (int i = 0; i < 20; i++) digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const unsigned char *bytes, size_t length, char *text) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    uint32_t three = (uint32_t)bytes[i] << 16 | (i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < length ? bytes[i + 2] : 0);
    *text++ = digits[three >> 18 & 63];
    *text++ = digits[three >> 12 & 63];
    *text++ = i + 1 < length ? digits[three >> 6 & 63] : '=';
    *text++ = i + 2 < length ? digits[three & 63] : '=';
  }
  *text = 0;
}

/* Of a header; its value up to the end of the line. NULL: it is not there. */
static const char *header(const char *head, const char *name, char *value, size_t size) {
  size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
    const char *at = line + 2;
    if (strncasecmp(at, name, length) != 0 || at[length] != ':') continue;
    at += length + 1;
    while (*at == ' ') at++;
    size_t end = strcspn(at, "\r");
    if (end >= size) end = size - 1;
    memcpy(value, at, end);
    value[end] = 0;
    return value;
  }
  return NULL;
}

static int read_exactly(int fd, unsigned char *bytes, size_t length) {
  while (length > 0) {
    if (!wait_for(fd)) return -1;
    ssize_t got = read(fd, bytes, length);
    if (got <= 0) return -1;
    bytes += got;
    length -= (size_t)got;
  }
  return 0;
}

/* RFC 6455: short texts there and back. */
static void websocket(int fd, const char *key) {
  char joined[128], accept[32], answer[256];
  unsigned char digest[20];
  snprintf(joined, sizeof joined, "%.60s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  sha1((unsigned char *)joined, strlen(joined), digest);
  base64(digest, sizeof digest, accept);
  int length = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
  if (send_all(fd, answer, (size_t)length) != 0) return;
  for (;;) {
    unsigned char frame[6], text[MAX_TEXT + 1], back[2 + MAX_TEXT];
    if (read_exactly(fd, frame, sizeof frame) != 0) return;
    size_t size = frame[1] & 0x7f;
    if (size > MAX_TEXT || read_exactly(fd, text, size) != 0) return;
    for (size_t i = 0; i < size; i++) text[i] ^= frame[2 + i % 4];
    text[size] = 0;
    if ((frame[0] & 0xf) == 8) {
      unsigned char over[2] = {0x88, 0};
      send_all(fd, over, sizeof over);
      return;
    }
    back[0] = 0x81;
    size_t told = (size_t)snprintf((char *)back + 2, MAX_TEXT, "%s %s", version, text);
    back[1] = (unsigned char)told;
    if (send_all(fd, back, 2 + told) != 0) return;
  }
}

static void events(int fd, int count) {
  char text[160];
  const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  if (send_all(fd, head, strlen(head)) != 0) return;
  for (int i = 1; i <= count; i++) {
    char event[64];
    int length = snprintf(event, sizeof event, "data: %d\n\n", i);
    int size = snprintf(text, sizeof text, "%x\r\n%s\r\n", length, event);
    if (send_all(fd, text, (size_t)size) != 0) return;
    pause_ms(EVENT_EVERY_MS);
  }
  send_all(fd, "0\r\n\r\n", 5);
}

static int answer(int fd, const char *head, int is_last) {
  char text[512], body[160];
  int turn = counter++;
  int is_error = error_percent > 0 && (turn * 37) % 100 < error_percent && strstr(head, " /health") == NULL;
  if (delay_ms > 0) pause_ms(delay_ms);
  int length = snprintf(body, sizeof body, "%s %s\n", version, task);
  int size = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nX-Version: %s\r\nX-Task: %s\r\n%s\r\n%s",
                      is_error ? "500 Broken" : "200 OK", length, version, task, is_last ? "Connection: close\r\n" : "", body);
  return send_all(fd, text, (size_t)size);
}

/* One request whose head is there. Not 0: the connection is over. */
static int serve(int fd, char *head, size_t rest) {
  char value[256];
  const char *upgrade = header(head, "Sec-WebSocket-Key", value, sizeof value);
  if (upgrade != NULL) return websocket(fd, value), -1;
  const char *length = header(head, "Content-Length", value, sizeof value);
  size_t body = length == NULL ? 0 : (size_t)atol(length);
  char wanted[MAX_HEAD];
  for (body = body > rest ? body - rest : 0; body > 0;) {
    ssize_t got = read(fd, wanted, body < sizeof wanted ? body : sizeof wanted);
    if (got <= 0) return -1;
    body -= (size_t)got;
  }
  const char *stream = strstr(head, " /events?");
  if (stream != NULL) return events(fd, atoi(stream + 9)), is_ending ? -1 : 0;
  int is_last = is_ending || header(head, "Connection", value, sizeof value) != NULL;
  if (is_last && !is_ending) is_last = strcasecmp(value, "close") == 0;
  return answer(fd, head, is_last) != 0 || is_last ? -1 : 0;
}

static void *talk(void *argument) {
  int fd = (int)(intptr_t)argument, one = 1;
  char head[MAX_HEAD];
  size_t filled = 0;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  for (;;) {
    if (filled == 0 && !wait_for(fd)) break;
    ssize_t got = read(fd, head + filled, sizeof head - 1 - filled);
    if (got <= 0) break;
    filled += (size_t)got;
    head[filled] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) {
      if (filled >= sizeof head - 1) break;
      continue;
    }
    busy++;
    int is_over = serve(fd, head, filled - (size_t)(end + 4 - head));
    busy--;
    /* Nobody sends the next request before the answer. */
    filled = 0;
    if (is_over) break;
  }
  close(fd);
  return NULL;
}

static void end(int signal) {
  (void)signal;
  uint64_t one = 1;
  is_ending = 1;
  if (write(ending_fd, &one, sizeof one) < 0) _exit(5);
}

static void *end_later(void *argument) {
  pause_ms((int)(intptr_t)argument);
  _exit(3);
}

static void start(void *(*work)(void *), intptr_t argument) {
  pthread_t thread;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 * 1024);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &small, work, (void *)argument) != 0) _exit(4);
}

int main(void) {
  struct sigaction action = {.sa_handler = end};
  ending_fd = eventfd(0, EFD_CLOEXEC);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  gethostname(task, sizeof task - 1);
  version = getenv("VERSION") == NULL ? "v0" : getenv("VERSION");
  delay_ms = number("DELAY_MS", 0);
  error_percent = number("ERROR_PERCENT", 0);
  pause_ms(number("LISTEN_AFTER_MS", 0));
  if (number("EXIT_AFTER_MS", 0) > 0) start(end_later, number("EXIT_AFTER_MS", 0));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number("PORT", 8080))};
  if (bind(fd, (struct sockaddr *)&place, sizeof place) != 0 || listen(fd, 1024) != 0) return 1;
  printf("listens\n");
  fflush(stdout);
  while (wait_for(fd)) {
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (client >= 0) start(talk, client);
  }
  close(fd);
  pause_ms(LAST_LOOK_MS);
  for (int waited = 0; busy > 0 && waited < LAST_WORDS_MS; waited += LAST_LOOK_MS) pause_ms(LAST_LOOK_MS);
  return 0;
}
