#include "shim.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Nanoseconds are strings: as JSON numbers they would be rounded by most readers.
 * No fsync: a record has to outlive processes, not a power cut, after which no container runs in any case.
 */
static bool write_record(const char *name, const char *text, size_t length) {
  char temporary[64];
  snprintf(temporary, sizeof temporary, "%s.tmp", name);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool written = write_all(fd, text, length);
  close(fd);
  return written && rename(temporary, name) == 0;
}

uint64_t process_start_ticks(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  /* The second field may itself hold spaces and parentheses. */
  const char *next = strrchr(text, ')');
  for (int field = 2; next != NULL && field < 22; field++) next = strchr(next + 1, ' ');
  uint64_t ticks = 0;
  if (next != NULL) (void)sscanf(next, "%" SCNu64, &ticks);
  return ticks;
}

bool write_state_record(pid_t pid, int64_t started_at_ns) {
  char text[256];
  int n = snprintf(text, sizeof text,
                   "{\"shimPid\":%d,\"pid\":%d,\"startTicks\":%" PRIu64 ",\"startedAtNs\":\"%" PRId64 "\"}\n", (int)getpid(),
                   (int)pid, process_start_ticks(pid), started_at_ns);
  return write_record("state.json", text, (size_t)n);
}

size_t format_started(char *out, size_t room, pid_t pid, int64_t started_at_ns) {
  return (size_t)snprintf(out, room, "{\"pid\":%d,\"startedAtNs\":\"%" PRId64 "\"}", (int)pid, started_at_ns);
}

size_t format_exited(char *out, size_t room, const struct exit_record *record) {
  char signal[16] = "null";
  if (record->signal != 0) snprintf(signal, sizeof signal, "%d", record->signal);
  int n = snprintf(out, room,
                   "{\"pid\":%d,\"exitCode\":%d,\"signal\":%s,\"startedAtNs\":\"%" PRId64 "\",\"exitedAtNs\":\"%" PRId64 "\"",
                   (int)record->pid, record->exit_code, signal, record->started_at_ns, record->exited_at_ns);
  size_t length = (size_t)n;
  const char *text = record->runtime_error;
  if (text != NULL && length + strlen(text) * JSON_EXPANSION + 32 < room) {
    length += (size_t)snprintf(out + length, room - length, ",\"runtimeError\":\"");
    length += json_escape(out + length, (const uint8_t *)text, strlen(text));
    out[length++] = '"';
  }
  out[length++] = '}';
  out[length] = 0;
  return length;
}

bool write_exit_record(const struct exit_record *record) {
  char text[RECORD_MAX];
  size_t length = format_exited(text, sizeof text - 1, record);
  text[length++] = '\n';
  return write_record("exit.json", text, length);
}
