#include "archive.h"
#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void put_u32(uint8_t *out, uint32_t value) {
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (8 * i));
}

void put_u64(uint8_t *out, uint64_t value) {
  for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (8 * i));
}

uint32_t get_u32(const uint8_t *in) {
  return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

uint64_t get_u64(const uint8_t *in) {
  return (uint64_t)get_u32(in) | (uint64_t)get_u32(in + 4) << 32;
}

void send_archive_frame(uint8_t type, const void *payload, size_t length) {
  uint8_t header[ARCHIVE_FRAME_HEADER] = {type};
  put_u32(header + 1, (uint32_t)length);
  if (!write_all(1, header, sizeof header) || !write_all(1, payload, length)) _exit(1);
}

static bool read_all(void *into, size_t length) {
  char *next = into;
  while (length > 0) {
    ssize_t n = read(0, next, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    next += n;
    length -= (size_t)n;
  }
  return true;
}

uint8_t receive_archive_frame(uint8_t **payload, size_t *room, size_t *length) {
  uint8_t header[ARCHIVE_FRAME_HEADER];
  /* The daemon is gone or has given up: what is half written stays as it is. */
  if (!read_all(header, sizeof header)) _exit(1);
  *length = get_u32(header + 1);
  if (*length > ARCHIVE_FRAME_MAX) archive_fail(AT_ENTRANCE, EMSGSIZE, "read a frame", "");
  if (*length + 1 > *room) {
    *room = *length + 1;
    *payload = realloc(*payload, *room);
    if (*payload == NULL) archive_fail(AT_ENTRANCE, ENOMEM, "read a frame", "");
  }
  if (!read_all(*payload, *length)) _exit(1);
  return header[0];
}

/* about, errno u32, what was being done, NUL, the path */
_Noreturn void archive_fail(uint8_t about, int error, const char *doing, const char *path) {
  uint8_t payload[5 + 128 + 4096];
  size_t doing_length = strnlen(doing, 127), path_length = strnlen(path, 4095);
  payload[0] = about;
  put_u32(payload + 1, (uint32_t)error);
  memcpy(payload + 5, doing, doing_length);
  payload[5 + doing_length] = 0;
  memcpy(payload + 6 + doing_length, path, path_length);
  send_archive_frame(ARCHIVE_FAILED, payload, 6 + doing_length + path_length);
  _exit(1);
}

bool is_portable_xattr(const char *name) {
  return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0 ||
         strcmp(name, "system.posix_acl_access") == 0 || strcmp(name, "system.posix_acl_default") == 0;
}
