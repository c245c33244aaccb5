#define _GNU_SOURCE
#include "shim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool make_pipes(const struct options *o, int ours[3], int ends[3]) {
  for (int fd = 0; fd < 3; fd++) {
    int pair[2];
    if (o->tty || (fd == 0 && !o->has_stdin)) continue;
    if (pipe2(pair, O_CLOEXEC) != 0) return false;
    ours[fd] = pair[fd == 0 ? 1 : 0];
    ends[fd] = pair[fd == 0 ? 0 : 1];
    set_nonblocking(ours[fd]);
  }
  return true;
}

ssize_t receive_descriptor(int connection, void *bytes, size_t room, int *descriptor) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {.iov_base = bytes, .iov_len = room};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *descriptor = -1;
  ssize_t n = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *first = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (first != NULL && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
    memcpy(descriptor, CMSG_DATA(first), sizeof *descriptor);
  }
  return n;
}

void adopt_terminal(struct stdio *stdio, int terminal) {
  set_nonblocking(terminal);
  stdio->out[0] = terminal;
  stdio->in = fcntl(terminal, F_DUPFD_CLOEXEC, 3);
}
