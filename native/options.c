#include "shim.h"

#include <stdio.h>
#include <string.h>

bool parse_number(const char *text, uint64_t max, uint64_t *out) {
  uint64_t value = 0;
  if (*text == 0) return false;
  for (; *text != 0; text++) {
    if (*text < '0' || *text > '9') return false;
    uint64_t digit = (uint64_t)(*text - '0');
    if (value > (max - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *out = value;
  return true;
}

static char problem[256];

static const char *wrong(const char *what, const char *value) {
  snprintf(problem, sizeof problem, "%s: %s", what, value);
  return problem;
}

struct text_option {
  const char *name;
  const char **into;
  bool is_path; /* absolute, because the shim works in its own directory */
  bool is_required;
};

static const char *check_text(const struct text_option *all, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *value = *all[i].into;
    if (value == NULL && all[i].is_required) return wrong("missing option", all[i].name);
    if (value != NULL && all[i].is_path && value[0] != '/') return wrong("not an absolute path", value);
  }
  return NULL;
}

/* True when `name` was a flag or a number and is dealt with; *used tells whether its value was taken. */
static bool parse_other(struct options *o, const char *name, const char *value, bool *used, const char **error) {
  uint64_t number = 0;
  *used = false;
  if (strcmp(name, "--tty") == 0) return o->tty = true;
  if (strcmp(name, "--stdin") == 0) return o->has_stdin = true;
  if (strcmp(name, "--log-compress") == 0) return o->log_compress = true;
  *used = true;
  bool is_bytes = strcmp(name, "--log-max-bytes") == 0;
  bool is_files = strcmp(name, "--log-max-files") == 0;
  bool is_queue = strcmp(name, "--log-queue-bytes") == 0;
  if (!is_bytes && !is_files && !is_queue && strcmp(name, "--subscribe") != 0) return false;
  uint64_t max = is_bytes ? INT64_MAX : is_files ? 1000 : is_queue ? LOG_QUEUE_MAX : 3;
  if (value == NULL || !parse_number(value, max, &number)) {
    *error = wrong(name, value == NULL ? "needs a number" : value);
  } else if (is_queue) {
    o->log_queue_bytes = number;
  } else if (is_bytes) {
    o->log_max_bytes = number;
  } else if (is_files) {
    o->log_max_files = (unsigned)number;
  } else {
    o->subscribe = (uint8_t)number;
  }
  return true;
}

const char *parse_run_options(struct options *o, int argc, char **argv) {
  *o = (struct options){.log_max_files = 1};
  const struct text_option texts[] = {
    {"--dir", &o->dir, true, true},
    {"--runtime", &o->runtime, true, true},
    {"--state-root", &o->state_root, true, true},
    {"--id", &o->id, false, true},
    {"--bundle", &o->bundle, true, true},
    {"--log", &o->log, true, false},
    {"--log-attributes", &o->log_attributes, false, false},
  };
  size_t count = sizeof texts / sizeof *texts;
  for (int i = 0; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL, *error = NULL;
    bool used = false;
    size_t k = 0;
    while (k < count && strcmp(argv[i], texts[k].name) != 0) k++;
    if (k < count) {
      if (value == NULL) return wrong("option needs a value", argv[i]);
      *texts[k].into = value;
      used = true;
    } else if (!parse_other(o, argv[i], value, &used, &error)) {
      return wrong("unknown option", argv[i]);
    }
    if (error != NULL) return error;
    if (used) i++;
  }
  if (o->log_attributes != NULL && strlen(o->log_attributes) > LOG_ATTRIBUTES_MAX) return "too long: --log-attributes";
  return check_text(texts, count);
}
