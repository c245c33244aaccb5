#include "archive.h"
#include "ask.h"
#include "shim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
  "usage: glovebox-shim run --dir DIR --runtime FILE --state-root DIR --id ID --bundle DIR\n"
  "                         [--tty] [--stdin] [--subscribe MASK] [--log FILE] [--log-max-bytes N] [--log-max-files N]\n"
  "                         [--log-compress] [--log-attributes JSON] [--log-queue-bytes N]\n"
  "       glovebox-shim serve --socket FILE\n"
  "       glovebox-shim supervise --pid-file FILE --log FILE [--log-max-bytes N] -- PROGRAM [ARGUMENT...]\n"
  "       glovebox-shim ask NODE PROGRAM [WORD...]\n"
  "       glovebox-shim fresh STAMP PATH...\n"
  "       glovebox-shim archive (--namespace FD | --root DIR [--read-only-root] [--mount SOURCE TARGET rw|ro]...)\n"
  "                             [--keep-kinds] (stat|get|put) PATH\n";

#define DAEMON_FD 3

/* The first process ends at once, so that whoever spawned it need not wait; the shim is its child, in a session of its own. */
static int run_main(int argc, char **argv) {
  struct options options;
  const char *problem = parse_run_options(&options, argc, argv);
  if (problem != NULL) {
    complain("run: %s", problem);
    return 2;
  }
  pid_t pid = fork();
  if (pid < 0) {
    complain("run: fork failed");
    return 1;
  }
  if (pid > 0) return 0;
  setsid();
  redirect_stdio_to_null();
  close_from(DAEMON_FD + 1);
  run_shim(&options, fcntl(DAEMON_FD, F_GETFD) < 0 ? -1 : DAEMON_FD);
}

/* Inside a container the program has another name, and nothing of the host's must be reached by its arguments. */
static int is_init(const char *name) {
  const char *slash = strrchr(name, '/');
  return strcmp(slash == NULL ? name : slash + 1, "docker-init") == 0;
}

int main(int argc, char **argv) {
  if (argc >= 1 && is_init(argv[0])) return init_main(argc - 1, argv + 1);
  if (argc >= 2 && strcmp(argv[1], "run") == 0) return run_main(argc - 2, argv + 2);
  if (argc >= 2 && strcmp(argv[1], "serve") == 0) return serve_main(argc - 2, argv + 2);
  if (argc >= 2 && strcmp(argv[1], "supervise") == 0) return supervise_main(argc - 2, argv + 2);
  if (argc >= 2 && strcmp(argv[1], "ask") == 0) return ask_main(argc - 2, argv + 2);
  if (argc >= 2 && strcmp(argv[1], "fresh") == 0) return fresh_main(argc - 2, argv + 2);
  if (argc >= 2 && strcmp(argv[1], "archive") == 0) return archive_main(argc - 2, argv + 2);
  (void)!write(2, usage, sizeof usage - 1);
  return 2;
}
