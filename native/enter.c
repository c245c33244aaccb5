#define _GNU_SOURCE
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The new process is forked straight into the container's process namespace and v2 control group, moves itself into the v1 groups, joins the
 * other namespaces, sheds what the container may not have, and executes the program. Until that last step it is a copy of us that the
 * container can see: so it cannot be looked into (not dumpable), holds none of our descriptors but the channel below, and its
 * program file is a sealed copy (see serve.c).
 *
 * The channel is a pair of sockets: first the master of a terminal, if there is one, then either its end, closed by the execve, or the
 * reason why there is none. One that is held waits there for a byte before it executes.
 */

#define CHANNEL_FD 3

static _Noreturn void give_up(const char *format, const char *what) {
  char text[RUNTIME_TEXT_MAX];
  int reason = errno;
  int n = snprintf(text, sizeof text, format, what);
  if (n > 0 && (size_t)n < sizeof text) n += snprintf(text + n, sizeof text - (size_t)n, ": %s", strerror(reason));
  (void)!write(CHANNEL_FD, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
  _exit(reason == ENOENT ? 127 : 126);
}

/* ---- control groups ---- */

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_LIST_MAX 8192

/* Lines `ID:CONTROLLERS:PATH` of one process (cgroups(7)). */
static bool read_groups(pid_t pid, char list[CGROUP_LIST_MAX]) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, list, CGROUP_LIST_MAX - 1);
  close(fd);
  list[n > 0 ? n : 0] = 0;
  return n > 0;
}

/* Takes the next line apart; false at the end of the list. */
static bool next_group(char **list, char **controllers, char **path) {
  char *line = strsep(list, "\n");
  if (line == NULL || strsep(&line, ":") == NULL || line == NULL) return false;
  *controllers = strsep(&line, ":");
  *path = line;
  return line != NULL;
}

static bool is_hybrid(const char *list) {
  return strncmp(list, "0::", 3) != 0;
}

/*
 * Opens a file of the container's group in one hierarchy. Where there is no such group, or `is_usable` says that it takes nobody, it is the
 * one in which the first process is. -2: that is the root, so the container is not confined in this hierarchy.
 */
static int open_in_group(const struct entry *entry, const char *mount, const char *first_path, const char *file, int flags) {
  char path[PATH_MAX];
  const char *groups[] = {entry->cgroup, first_path};
  for (int i = 0; i < 2; i++) {
    if (snprintf(path, sizeof path, "%s/%s%s/%s", CGROUP_ROOT, mount, groups[i], file) >= (int)sizeof path) errno = ENAMETOOLONG;
    else {
      int fd = open(path, flags | O_CLOEXEC);
      if (fd >= 0) return fd;
    }
    if (errno != ENOENT) return -1;
  }
  return strcmp(first_path, "/") == 0 ? -2 : -1;
}

static const char *mount_of(const char *controllers, bool has_v1) {
  if (controllers[0] == 0) return has_v1 ? "unified" : "";
  return strncmp(controllers, "name=", 5) == 0 ? controllers + 5 : controllers;
}

/*
 * Into the v1 groups, in the new process. A process that writes 0 to `tasks` moves nobody but itself, for which the kernel needs no
 * lock over all process groups: to take that one waits 10 ms and more for an RCU grace period, which a write to `cgroup.procs` costs.
 */
static void enter_v1_groups(const struct entry *entry) {
  static char list[CGROUP_LIST_MAX];
  char *rest = list, *controllers, *path;
  if (!read_groups(entry->pid, list)) give_up("%s", "read the control groups of the container");
  while (next_group(&rest, &controllers, &path)) {
    if (controllers[0] == 0) continue;
    int fd = open_in_group(entry, mount_of(controllers, true), path, "tasks", O_WRONLY);
    if (fd == -2) continue;
    if (fd < 0 || write(fd, "0", 1) != 1) give_up("enter the control group of %s", controllers);
    close(fd);
  }
}

/* The container's v2 group, to be forked into. -2: there is none. `is_own` false asks for the one of its first process. */
static int open_v2_group(const struct entry *entry, bool is_own) {
  static char list[CGROUP_LIST_MAX];
  char *rest = list, *controllers, *path;
  if (!read_groups(entry->pid, list)) return -1;
  bool has_v1 = is_hybrid(list);
  while (next_group(&rest, &controllers, &path)) {
    if (controllers[0] != 0) continue;
    struct entry first = {.cgroup = path};
    return open_in_group(is_own ? entry : &first, mount_of("", has_v1), path, "", O_DIRECTORY | O_RDONLY);
  }
  return -2;
}

static pid_t fork_into(int group) {
  struct clone_args arguments = {.exit_signal = SIGCHLD};
  if (group >= 0) {
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)group;
  }
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

/* A group that has handed controllers down takes no processes (EBUSY): whoever made groups below it has put its first process into one. */
static pid_t fork_into_container(const struct entry *entry) {
  for (int is_own = 1; is_own >= 0; is_own--) {
    int group = open_v2_group(entry, is_own);
    if (group == -1) return -1;
    pid_t pid = fork_into(group);
    int reason = errno;
    if (group >= 0 && pid != 0) close(group);
    errno = reason;
    if (pid >= 0 || reason != EBUSY) return pid;
  }
  return -1;
}

/* ---- the new process ---- */

/* A change of user has made it what fs.suid_dumpable says. */
static void hide(void) {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) give_up("%s", "hide from the container");
}

static bool has_own_users(const struct entry *entry) {
  struct stat ours, theirs;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)entry->pid);
  if (stat("/proc/self/ns/user", &ours) != 0 || stat(path, &theirs) != 0) give_up("%s", "look at the user namespace of the container");
  return ours.st_ino != theirs.st_ino;
}

/* What a user of the container is here, by the lines `INSIDE OUTSIDE COUNT` of uid_map (user_namespaces(7)). */
static uid_t outside_uid(const struct entry *entry) {
  char path[64];
  unsigned inside, outside, count, found = entry->uid;
  snprintf(path, sizeof path, "/proc/%d/uid_map", (int)entry->pid);
  FILE *map = fopen(path, "re");
  if (map == NULL) give_up("%s", "read the users of the container");
  while (fscanf(map, "%u %u %u", &inside, &outside, &count) == 3) {
    if (entry->uid >= inside && entry->uid - inside < count) found = outside + (entry->uid - inside);
  }
  fclose(map);
  return found;
}

/* So that the program may open its streams again, as /dev/stdout. */
static void give_streams(const struct entry *entry) {
  uid_t owner = outside_uid(entry);
  for (int fd = 0; fd < 3; fd++) {
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_uid != owner) (void)fchown(fd, owner, (gid_t)-1);
  }
}

static void join_namespaces(const struct entry *entry, int pidfd) {
  bool has_users = has_own_users(entry);
  int kinds = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
  /* Only another one can be joined. */
  if (setns(pidfd, has_users ? kinds | CLONE_NEWUSER : kinds) != 0) give_up("%s", "join the namespaces of the container");
  /* Our own id means nobody in there: what we made would belong to nobody. */
  if (has_users && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)) give_up("%s", "become root of the container");
  hide();
}

static void send_terminal(int terminal) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  struct iovec part = {.iov_base = (char *)"", .iov_len = 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  memcpy(CMSG_DATA(&control.header), &terminal, sizeof terminal);
  if (sendmsg(CHANNEL_FD, &message, MSG_NOSIGNAL) != 1) give_up("%s", "hand the terminal over");
}

/* In the container's own devpts, and nothing else that it may have put in its place. */
static void take_terminal(const struct options *o) {
  struct statfs fs;
  int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW), unlocked = 0;
  if (master < 0) give_up("%s", "open /dev/pts/ptmx");
  errno = ENODEV;
  if (fstatfs(master, &fs) != 0 || fs.f_type != DEVPTS_SUPER_MAGIC) give_up("%s", "open /dev/pts/ptmx");
  if (ioctl(master, TIOCSPTLCK, &unlocked) != 0) give_up("%s", "unlock the terminal");
  int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) give_up("%s", "open the terminal");
  struct winsize size = {.ws_row = o->rows, .ws_col = o->cols};
  if (o->rows + o->cols > 0) (void)ioctl(master, TIOCSWINSZ, &size);
  send_terminal(master);
  close(master);
  if (ioctl(slave, TIOCSCTTY, 0) != 0) give_up("%s", "make the terminal the controlling one");
  (void)fchown(slave, o->entry->uid, (gid_t)-1);
  for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
  if (slave > CHANNEL_FD) close(slave);
}

/* From the execve on. By the host's /proc: what the container shows in its place is its own affair. */
static void set_apparmor(const struct entry *entry) {
  char text[512];
  if (entry->apparmor == NULL) return;
  int length = snprintf(text, sizeof text, "exec %s", entry->apparmor);
  int fd = open("/proc/self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);
  if (fd < 0) fd = open("/proc/self/attr/exec", O_WRONLY | O_CLOEXEC);
  errno = fd < 0 ? errno : ENAMETOOLONG;
  if (fd < 0 || (size_t)length >= sizeof text || write(fd, text, (size_t)length) != length) {
    give_up("set the AppArmor profile %s", entry->apparmor);
  }
  close(fd);
}

static void set_limits(const struct entry *entry) {
  for (size_t i = 0; i < entry->rlimit_count; i++) {
    if (setrlimit(entry->rlimits[i].resource, &entry->rlimits[i].limit) != 0) give_up("%s", "set a resource limit");
  }
}

static void set_capabilities(uint64_t effective, uint64_t permitted) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
                                           {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32)}};
  if (syscall(SYS_capset, &header, sets) != 0) give_up("%s", "set the capabilities");
}

static void hold_all_permitted(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) give_up("%s", "read the capabilities");
  for (int i = 0; i < 2; i++) sets[i].effective = sets[i].permitted;
  if (syscall(SYS_capset, &header, sets) != 0) give_up("%s", "hold the capabilities");
}

static void bound_capabilities(uint64_t kept) {
  for (int number = 0; number < 64; number++) {
    if ((kept >> number & 1) == 0 && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && errno != EINVAL) give_up("%s", "drop a capability");
  }
}

static void become_user(const struct entry *entry) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) give_up("%s", "keep capabilities");
  if (setgroups(entry->group_count, entry->groups) != 0) give_up("%s", "set the additional groups");
  if (setresgid(entry->gid, entry->gid, entry->gid) != 0) give_up("%s", "set the group");
  if (setresuid(entry->uid, entry->uid, entry->uid) != 0) give_up("%s", "set the user");
  hide();
}

/* As root first: a user may be given a directory that it could not enter by itself. */
static bool change_directory(const struct entry *entry) {
  char where[PATH_MAX];
  if (chdir(entry->cwd) != 0) return false;
  /* The kernel says so of a directory that is not below our root: nothing of the host may be reached this way. */
  if (syscall(SYS_getcwd, where, sizeof where) > 0 && where[0] != '/') {
    errno = EPERM;
    return false;
  }
  return true;
}

static void load_filter(const struct entry *entry) {
  if (entry->filter.len == 0) return;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, entry->seccomp_flags, &entry->filter) != 0) give_up("%s", "load the seccomp filter");
}

/* A filter needs privileges to load, unless privileges can no longer be gained: then it comes last, and has to allow least. */
static void shed_privileges(const struct entry *entry) {
  bound_capabilities(entry->bounding);
  bool is_there = change_directory(entry);
  become_user(entry);
  if (!is_there && !change_directory(entry)) give_up("change to the working directory %s", entry->cwd);
}

/* Whoever wanted us may be gone, and nobody want us any more. */
static void wait_for_go(const struct options *o) {
  char go;
  if (o->is_held && read(CHANNEL_FD, &go, 1) != 1) _exit(126);
}

static _Noreturn void become_program(const struct options *o, int pidfd, int channel, const int ends[3]) {
  const struct entry *entry = o->entry;
  static char program[PATH_MAX];
  for (int fd = 0; fd < 3; fd++) {
    if (ends[fd] >= 0) dup2(ends[fd], fd);
  }
  if (dup3(channel, CHANNEL_FD, O_CLOEXEC) < 0) _exit(126);
  enter_v1_groups(entry);
  if (entry->has_oom_score && !set_oom_score(entry->oom_score)) give_up("%s", "set the OOM score");
  set_apparmor(entry);
  give_streams(entry);
  join_namespaces(entry, pidfd);
  close_from(CHANNEL_FD + 1);
  setsid();
  /* A session keyring of its own: not the one that the daemon was started with. */
  (void)syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
  if (o->tty) take_terminal(o);
  restore_signals();
  umask(entry->umask);
  set_limits(entry);
  shed_privileges(entry);
  const char *name = entry->argv[0];
  if (!find_program(name, entry->env, program, sizeof program)) {
    give_up(errno == ENOENT ? "executable file `%s` not found in $PATH" : "execute `%s`", name);
  }
  if (entry->is_no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("%s", "give up new privileges");
  if (!entry->is_no_new_privileges) {
    hold_all_permitted();
    load_filter(entry);
  }
  set_capabilities(entry->effective, entry->permitted);
  if (entry->is_no_new_privileges) load_filter(entry);
  wait_for_go(o);
  execve(program, entry->argv, entry->env);
  give_up("execute `%s`", name);
}

/* ---- the shim's side ---- */

static const char *read_filter(struct entry *entry) {
  static struct sock_filter instructions[BPF_MAXINSNS + 1];
  if (entry->seccomp_file == NULL) return NULL;
  int fd = open(entry->seccomp_file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "open the container's seccomp filter";
  ssize_t n = read(fd, instructions, sizeof instructions);
  close(fd);
  size_t count = n > 0 ? (size_t)n / sizeof *instructions : 0;
  if (count == 0 || count > BPF_MAXINSNS || (size_t)n % sizeof *instructions != 0) {
    errno = EINVAL;
    return "read the container's seccomp filter";
  }
  entry->filter = (struct sock_fprog){.len = (unsigned short)count, .filter = instructions};
  return NULL;
}

static int open_first_process(const struct entry *entry) {
  int pidfd = (int)syscall(SYS_pidfd_open, entry->pid, 0);
  if (pidfd >= 0 && process_start_ticks(entry->pid) == entry->start_ticks) return pidfd;
  errno = ESRCH;
  return -1;
}

const char *enter_start(struct runtime *runtime, const struct options *o, struct stdio *stdio) {
  struct entry *entry = o->entry;
  int ours[3] = {-1, -1, -1}, ends[3] = {-1, -1, -1}, channel[2];
  const char *problem = read_filter(entry);
  if (problem != NULL) return problem;
  int pidfd = open_first_process(entry);
  if (pidfd < 0) return "find the container's first process";
  if (!make_pipes(o, ours, ends)) return "make pipes for stdin, stdout and stderr";
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) return "make a channel to the new process";
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return "hide from the container";
  /* Not for us, but for who is forked from now on: that is one. */
  if (setns(pidfd, CLONE_NEWPID) != 0) return "enter the container's process namespace";
  pid_t pid = fork_into_container(entry);
  if (pid < 0) return "fork into the container";
  if (pid == 0) become_program(o, pidfd, channel[1], ends);
  close(pidfd);
  close(channel[1]);
  for (int fd = 0; fd < 3; fd++) {
    if (ends[fd] >= 0) close(ends[fd]);
  }
  set_nonblocking(channel[0]);
  runtime->entered = pid;
  runtime->verdict_fd = channel[0];
  *stdio = (struct stdio){.in = ours[0], .out = {ours[1], ours[2]}};
  return NULL;
}

int enter_verdict(struct runtime *runtime, struct stdio *stdio, char *text, size_t room) {
  for (;;) {
    int terminal;
    ssize_t n = receive_descriptor(runtime->verdict_fd, text, room - 1, &terminal);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : 1;
    if (n == 0) return 1;
    text[n] = 0;
    if (terminal < 0) return -1;
    adopt_terminal(stdio, terminal);
    text[0] = 0;
  }
}
