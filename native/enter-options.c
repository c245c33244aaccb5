#include "enter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char problem[256];

static const char *wrong(const char *what, const char *value) {
  snprintf(problem, sizeof problem, "%s: %s", what, value);
  return problem;
}

static bool number(const char *text, uint64_t max, uint64_t *out) {
  return text != NULL && parse_number(text, max, out);
}

/* 16 digits at most, one bit for each capability. */
static bool mask(const char *text, uint64_t *out) {
  char *end;
  *out = strtoull(text, &end, 16);
  return end != text && *end == 0 && strlen(text) <= 16;
}

/* The number before `separator`, which must follow unless it is 0; advances behind it. */
static bool part(char **next, char separator, uint64_t max, uint64_t *out) {
  char *end = separator == 0 ? *next + strlen(*next) : strchr(*next, separator);
  if (end == NULL) return false;
  char *text = *next;
  *next = *end == 0 ? end : end + 1;
  *end = 0;
  return parse_number(text, max, out);
}

static bool parse_rlimit(struct entry *entry, char *text) {
  uint64_t resource, soft, hard;
  if (entry->rlimit_count == ENTRY_RLIMITS) return false;
  if (!part(&text, ':', RLIM_NLIMITS - 1, &resource) || !part(&text, ':', UINT64_MAX, &soft)) return false;
  if (!part(&text, 0, UINT64_MAX, &hard)) return false;
  entry->rlimits[entry->rlimit_count].resource = (int)resource;
  entry->rlimits[entry->rlimit_count++].limit = (struct rlimit){.rlim_cur = soft, .rlim_max = hard};
  return true;
}

static bool parse_group(struct entry *entry, const char *text) {
  uint64_t id;
  if (entry->group_count == ENTRY_GROUPS || !number(text, INT32_MAX, &id)) return false;
  entry->groups[entry->group_count++] = (gid_t)id;
  return true;
}

static bool parse_oom_score(struct entry *entry, const char *text) {
  uint64_t size;
  bool is_negative = text[0] == '-';
  if (!number(text + is_negative, 1000, &size)) return false;
  entry->has_oom_score = true;
  entry->oom_score = is_negative ? -(int)size : (int)size;
  return true;
}

/* 1: taken, 0: not one of these, -1: its value makes no sense. */
static int take_value(struct options *o, struct entry *entry, const char *name, char *value) {
  uint64_t n = 0;
  bool good = true;
  if (strcmp(name, "--dir") == 0) o->dir = value;
  else if (strcmp(name, "--cgroup") == 0) entry->cgroup = value;
  else if (strcmp(name, "--seccomp") == 0) entry->seccomp_file = value;
  else if (strcmp(name, "--apparmor") == 0) entry->apparmor = value;
  else if (strcmp(name, "--cwd") == 0) entry->cwd = value;
  else if (strcmp(name, "--bounding") == 0) good = mask(value, &entry->bounding);
  else if (strcmp(name, "--effective") == 0) good = mask(value, &entry->effective);
  else if (strcmp(name, "--permitted") == 0) good = mask(value, &entry->permitted);
  else if (strcmp(name, "--rlimit") == 0) good = parse_rlimit(entry, value);
  else if (strcmp(name, "--group") == 0) good = parse_group(entry, value);
  else if (strcmp(name, "--oom-score") == 0) good = parse_oom_score(entry, value);
  else if (strcmp(name, "--start-ticks") == 0) good = number(value, UINT64_MAX, &entry->start_ticks);
  else if (strcmp(name, "--pid") == 0) good = number(value, INT32_MAX, &n), entry->pid = (pid_t)n;
  else if (strcmp(name, "--uid") == 0) good = number(value, INT32_MAX, &n), entry->uid = (uid_t)n;
  else if (strcmp(name, "--gid") == 0) good = number(value, INT32_MAX, &n), entry->gid = (gid_t)n;
  else if (strcmp(name, "--rows") == 0) good = number(value, UINT16_MAX, &n), o->rows = (uint16_t)n;
  else if (strcmp(name, "--columns") == 0) good = number(value, UINT16_MAX, &n), o->cols = (uint16_t)n;
  else if (strcmp(name, "--umask") == 0) good = number(value, 0777, &n), entry->umask = (mode_t)n;
  else if (strcmp(name, "--seccomp-flags") == 0) good = number(value, UINT32_MAX, &n), entry->seccomp_flags = (unsigned)n;
  else if (strcmp(name, "--subscribe") == 0) good = number(value, 3, &n), o->subscribe = (uint8_t)n;
  else return 0;
  return good ? 1 : -1;
}

static bool take_flag(struct options *o, struct entry *entry, const char *name) {
  if (strcmp(name, "--tty") == 0) return o->tty = true;
  if (strcmp(name, "--stdin") == 0) return o->has_stdin = true;
  if (strcmp(name, "--hold") == 0) return o->is_held = true;
  if (strcmp(name, "--no-new-privileges") == 0) return entry->is_no_new_privileges = true;
  return false;
}

static const char *check(const struct options *o, const struct entry *entry) {
  if (o->dir == NULL || o->dir[0] != '/') return "--dir needs an absolute path";
  if (entry->pid <= 0) return "missing option: --pid";
  if (entry->cgroup == NULL || entry->cgroup[0] != '/' || strstr(entry->cgroup, "..") != NULL) return "--cgroup needs an absolute path";
  if (entry->argv == NULL || entry->argv[0] == NULL) return "no command after --";
  return NULL;
}

/* `OPTIONS --env K=V... -- COMMAND...`: the environment is the part of argv that comes last among the options. */
const char *parse_enter_options(struct options *o, struct entry *entry, int argc, char **argv) {
  int i = 0;
  *o = (struct options){.entry = entry};
  *entry = (struct entry){.cwd = "/", .umask = 022};
  for (; i < argc && strcmp(argv[i], "--env") != 0; i++) {
    if (take_flag(o, entry, argv[i])) continue;
    if (i + 1 == argc) return wrong("option needs a value", argv[i]);
    int taken = take_value(o, entry, argv[i], argv[i + 1]);
    if (taken == 0) return wrong("unknown option", argv[i]);
    if (taken < 0) return wrong(argv[i], argv[i + 1]);
    i++;
  }
  if (i == argc) return "missing option: --env";
  argv[i] = NULL;
  entry->env = &argv[i + 1];
  /* Entries of an environment have a '=', as the caller has seen to: so this is the end of it. */
  for (i++; i < argc && strcmp(argv[i], "--") != 0; i++) continue;
  if (i == argc) return "missing option: --";
  argv[i] = NULL;
  entry->argv = &argv[i + 1];
  return check(o, entry);
}
