#define _GNU_SOURCE
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of shells, and of the OCI runtimes, for who has no PATH. */
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static bool is_program(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return false;
  if (S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0) return true;
  errno = EACCES;
  return false;
}

bool find_program(const char *name, char *const *env, char *path, size_t room) {
  int refused = ENOENT;
  const char *places = default_path;
  if (strchr(name, '/') != NULL) {
    if ((size_t)snprintf(path, room, "%s", name) < room) return is_program(path);
    errno = ENAMETOOLONG;
    return false;
  }
  for (; *env != NULL; env++) {
    if (strncmp(*env, "PATH=", 5) == 0) places = *env + 5;
  }
  while (name[0] != 0) {
    size_t length = strcspn(places, ":");
    /* An empty place is the working directory. */
    int n = snprintf(path, room, "%.*s%s%s", (int)length, places, length == 0 ? "./" : "/", name);
    if ((size_t)n < room && is_program(path)) return true;
    if ((size_t)n < room && errno == EACCES) refused = EACCES;
    if (places[length] == 0) break;
    places += length + 1;
  }
  errno = refused;
  return false;
}
