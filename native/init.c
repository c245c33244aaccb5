/* The first process of a container that asked for one (`--init`): it starts the command, passes signals on and reaps orphans. */
#include "shim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL_BASE 128

/* Faults of our own must end us, so they are left alone; terminal stops are for the command's group. */
static const int not_ours[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};

static void run_command(char **argv, const sigset_t *mask) {
  /* A group of its own in the foreground: Ctrl-C goes to the command, not to us. Fails without a terminal, which is fine. */
  setpgid(0, 0);
  tcsetpgrp(0, getpgrp());
  signal(SIGTTIN, SIG_DFL);
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(argv[0], argv);
  int error = errno;
  fprintf(stderr, "docker-init: exec %s: %s\n", argv[0], strerror(error));
  _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int exit_code(int status) {
  return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

/* True when the command itself was among those that ended. */
static int reap(pid_t command, int *code) {
  int has_ended = 0;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != command) continue;
    *code = exit_code(status);
    has_ended = 1;
  }
  return has_ended;
}

int init_main(int argc, char **argv) {
  if (argc > 0 && strcmp(argv[0], "--") == 0) argc--, argv++;
  if (argc == 0) {
    fputs("usage: docker-init -- PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++) sigdelset(&all, not_ours[i]);
  sigprocmask(SIG_SETMASK, &all, &before);
  signal(SIGTTIN, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  pid_t command = fork();
  if (command < 0) {
    perror("docker-init: fork");
    return EXIT_NOT_EXECUTABLE;
  }
  if (command == 0) run_command(argv, &before);
  for (;;) {
    int signal_number = sigwaitinfo(&all, NULL);
    int code = 0;
    if (signal_number == SIGCHLD && reap(command, &code)) return code;
    if (signal_number > 0 && signal_number != SIGCHLD) kill(command, signal_number);
  }
}
