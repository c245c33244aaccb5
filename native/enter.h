/* A further process in a container that runs (`exec`): enter-options.c reads what is wanted, enter.c does it, program.c finds the program. */
#ifndef GLOVEBOX_ENTER_H
#define GLOVEBOX_ENTER_H

#include "shim.h"

#include <linux/filter.h>
#include <sys/resource.h>

/* As many as the kernel knows (RLIM_NLIMITS): each is given once. */
#define ENTRY_RLIMITS 16
/* NGROUPS_MAX is 65536; nobody is in this many. */
#define ENTRY_GROUPS 256

struct entry {
  pid_t pid; /* the container's first process */
  uint64_t start_ticks; /* of it: tells it from a later one of the same number */
  const char *cgroup; /* below the root of every hierarchy */
  const char *seccomp_file; /* NULL: not confined */
  const char *apparmor; /* a profile that is loaded, NULL: none */
  unsigned seccomp_flags;
  struct sock_fprog filter;
  uid_t uid;
  gid_t gid;
  gid_t groups[ENTRY_GROUPS];
  size_t group_count;
  const char *cwd;
  mode_t umask;
  uint64_t bounding, effective, permitted; /* a bit for each capability */
  bool is_no_new_privileges;
  bool has_oom_score;
  int oom_score;
  struct {
    int resource;
    struct rlimit limit;
  } rlimits[ENTRY_RLIMITS];
  size_t rlimit_count;
  char **argv, **env;
};

/* NULL, or what is wrong. `argv` has to stay: nothing is copied. */
const char *parse_enter_options(struct options *options, struct entry *entry, int argc, char **argv);

/* Starts the process. NULL, or what went wrong, with errno. */
const char *enter_start(struct runtime *runtime, const struct options *options, struct stdio *stdio);
/*
 * What the new process has said so far: 0 nothing that decides, 1 it executes its program, -1 it could not, which is then in `text`.
 * A terminal that it sent on the way is put into `stdio`.
 */
int enter_verdict(struct runtime *runtime, struct stdio *stdio, char *text, size_t room);

/* The file that `name` stands for on the PATH of `env`, executable by whoever we are now. False with errno. */
bool find_program(const char *name, char *const *env, char *path, size_t room);

#endif
