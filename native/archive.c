#define _GNU_SOURCE
#include "archive.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than some libc headers; the numbers are the same on every architecture. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#define TREE_CLONE 1
#define TREE_RECURSIVE 0x8000
#define MOVE_FROM_EMPTY_PATH 4
#define MOVE_TO_EMPTY_PATH 0x40
#define ATTRIBUTE_READ_ONLY 1

/* A container has tens of mounts at most. */
#define MOUNTS_MAX 512

struct planned_mount {
  const char *source;
  const char *target;
  bool is_read_only;
  int tree;
  bool is_directory;
};

struct request {
  int namespace_fd; /* -1: not running */
  int users_fd;     /* -1: its users are the host's */
  const char *root;
  bool is_root_read_only;
  bool keeps_kinds;
  const char *verb;
  const char *path;
  struct planned_mount mounts[MOUNTS_MAX];
  size_t mount_count;
};

static const char *parse(struct request *request, int argc, char **argv) {
  int at = 0;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    const char *word = argv[at];
    int left = argc - at - 1;
    uint64_t number;
    if (strcmp(word, "--read-only-root") == 0) {
      request->is_root_read_only = true;
    } else if (strcmp(word, "--keep-kinds") == 0) {
      request->keeps_kinds = true;
    } else if (strcmp(word, "--namespace") == 0 && left >= 1) {
      if (!parse_number(argv[++at], INT_MAX, &number)) return "--namespace takes a descriptor";
      request->namespace_fd = (int)number;
    } else if (strcmp(word, "--users") == 0 && left >= 1) {
      if (!parse_number(argv[++at], INT_MAX, &number)) return "--users takes a descriptor";
      request->users_fd = (int)number;
    } else if (strcmp(word, "--hide-device") == 0 && left >= 1) {
      if (!parse_number(argv[++at], INT64_MAX, &number)) return "--hide-device takes a number";
      archive_hide_device((dev_t)number);
    } else if (strcmp(word, "--root") == 0 && left >= 1) {
      request->root = argv[++at];
    } else if (strcmp(word, "--mount") == 0 && left >= 3) {
      if (request->mount_count == MOUNTS_MAX) return "too many mounts";
      struct planned_mount *mount = &request->mounts[request->mount_count++];
      mount->source = argv[++at];
      mount->target = argv[++at];
      mount->is_read_only = strcmp(argv[++at], "ro") == 0;
    } else {
      return word;
    }
  }
  if (argc - at != 2) return "a verb and a path are needed";
  request->verb = argv[at];
  request->path = argv[at + 1];
  if ((request->namespace_fd < 0) == (request->root == NULL)) return "either --namespace or --root is needed";
  return NULL;
}

/* Into the mount namespace of a container that runs: its root is that of the namespace, and nothing of the host is in it. */
static void enter_running(int fd, int users_fd) {
  if (setns(fd, CLONE_NEWNS)) archive_fail(AT_ENTRANCE, errno, "enter the container's mount namespace", "");
  close(fd);
  /* Last of all: whoever is root there may not enter anything of the host's. */
  if (users_fd >= 0) {
    if (setns(users_fd, CLONE_NEWUSER) || setgid(0) || setuid(0))
      archive_fail(AT_ENTRANCE, errno, "enter the container's user namespace", "");
    close(users_fd);
  }
  if (chdir("/")) archive_fail(AT_ENTRANCE, errno, "enter the container's root", "");
}

/* The sources are taken hold of while the host can still be seen. One that is gone is left out: what is below can still be saved. */
static void take_trees(struct request *request) {
  for (size_t i = 0; i < request->mount_count; i++) {
    struct planned_mount *mount = &request->mounts[i];
    struct stat stat;
    mount->tree = (int)syscall(SYS_open_tree, AT_FDCWD, mount->source, TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
    if (mount->tree < 0 && errno == ENOENT) continue;
    if (mount->tree < 0 || fstat(mount->tree, &stat)) archive_fail(AT_ENTRANCE, errno, "take the mount source", mount->source);
    mount->is_directory = S_ISDIR(stat.st_mode);
    /* struct mount_attr: attr_set, attr_clr, propagation, userns_fd */
    uint64_t attributes[4] = {ATTRIBUTE_READ_ONLY, 0, 0, 0};
    if (mount->is_read_only &&
        syscall(SYS_mount_setattr, mount->tree, "", AT_EMPTY_PATH | TREE_RECURSIVE, attributes, sizeof attributes))
      archive_fail(AT_ENTRANCE, errno, "make read-only", mount->source);
  }
}

/* A directory or an empty file, with its parents, as the OCI runtime makes them when the container starts. */
static int mount_point(const struct planned_mount *mount) {
  char path[PATH_MAX];
  if (strlen(mount->target) >= sizeof path) archive_fail(AT_ENTRANCE, ENAMETOOLONG, "make the mount point", mount->target);
  strcpy(path, mount->target);
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    (void)mkdir(path, 0755);
    *slash = '/';
  }
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    if (mount->is_directory) {
      (void)mkdir(path, 0755);
    } else {
      int made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      if (made >= 0) close(made);
    }
    fd = open(path, O_PATH | O_CLOEXEC);
  }
  if (fd < 0) archive_fail(AT_ENTRANCE, errno, "make the mount point", mount->target);
  return fd;
}

/*
 * Into the root of a container that does not run: in a mount namespace of our own, with its volumes. The targets are looked up when
 * the root is ours already, so no link on the way to them leads to the host.
 */
static void enter_stopped(struct request *request) {
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
    archive_fail(AT_ENTRANCE, errno, "make a mount namespace", "");
  take_trees(request);
  if (chdir(request->root) || chroot(".") || chdir("/")) archive_fail(AT_ENTRANCE, errno, "enter the root", request->root);
  for (size_t i = 0; i < request->mount_count; i++) {
    const struct planned_mount *mount = &request->mounts[i];
    if (mount->tree < 0) continue;
    int target = mount_point(mount);
    if (syscall(SYS_move_mount, mount->tree, "", target, "", MOVE_FROM_EMPTY_PATH | MOVE_TO_EMPTY_PATH))
      archive_fail(AT_ENTRANCE, errno, "mount", mount->target);
    close(target);
    close(mount->tree);
  }
  if (request->is_root_read_only && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
    archive_fail(AT_ENTRANCE, errno, "make the root read-only", "");
}

/* From here on only files are worked on. What is kept is what root needs to read and write those of everybody. */
static void drop_capabilities(void) {
  static const int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP};
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct held[2] = {0}, wanted[2] = {0};
  if (syscall(SYS_capget, &header, held)) archive_fail(AT_ENTRANCE, errno, "read the capabilities", "");
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) wanted[0].effective |= 1u << kept[i];
  wanted[0].effective &= held[0].permitted;
  wanted[0].permitted = wanted[0].effective;
  if (syscall(SYS_capset, &header, wanted)) archive_fail(AT_ENTRANCE, errno, "drop capabilities", "");
}

void archive_send_stat(const struct stat *stat, const char *link_target) {
  uint8_t payload[24 + PATH_MAX];
  size_t length = strnlen(link_target, PATH_MAX);
  put_u32(payload, stat->st_mode);
  put_u64(payload + 4, (uint64_t)stat->st_size);
  put_u64(payload + 12, (uint64_t)stat->st_mtim.tv_sec);
  put_u32(payload + 20, (uint32_t)stat->st_mtim.tv_nsec);
  memcpy(payload + 24, link_target, length);
  send_archive_frame(ARCHIVE_STAT, payload, 24 + length);
}

static void limits(void) {
  struct rlimit files;
  /* Deep trees are walked with one descriptor a level. */
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
}

int archive_main(int argc, char **argv) {
  static struct request request = {.namespace_fd = -1, .users_fd = -1};
  const char *problem = parse(&request, argc, argv);
  if (problem != NULL) {
    complain("archive: %s", problem);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  /* A container that shares the host's process ids must not get hold of us. */
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limits();
  umask(0);
  if (request.namespace_fd >= 0) enter_running(request.namespace_fd, request.users_fd);
  else enter_stopped(&request);
  drop_capabilities();
  /* A change of the user takes both back. */
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (strcmp(request.verb, "stat") == 0 || strcmp(request.verb, "get") == 0) archive_read(request.path, request.verb[0] == 's');
  else if (strcmp(request.verb, "put") == 0) archive_write(request.path, request.keeps_kinds);
  else {
    complain("archive: unknown verb %s", request.verb);
    return 2;
  }
  send_archive_frame(ARCHIVE_END, "", 0);
  return 0;
}
