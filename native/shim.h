/*
 * Types and functions that the parts of the shim share. One file per part:
 *
 *   main.c       chooses the mode
 *   options.c    arguments of `run`
 *   run.c        the life of one container or exec process, with tell.c, output.c and exit.c on the state in run.h
 *   runtime.c    starts the OCI runtime and waits for its verdict
 *   stdio.c      pipes and terminals
 *   enter.c      starts a further process in a container that runs, with enter-options.c and program.c
 *   clients.c    connections: frames in, bounded buffers out
 *   log.c        json-file lines; log-file.c rotation and full disks; log-queue.c a writer of its own
 *   record.c     the files that a restarted daemon reads
 *   serve.c      forks shims (and short commands) for a daemon that is expensive to fork
 *   supervise.c  keeps the daemon itself alive
 *   frames.c json.c sys.c   leaves
 */
#ifndef GLOVEBOX_SHIM_H
#define GLOVEBOX_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- frames.c: [type, 0, 0, 0, length u32 big endian] and the payload, as Docker frames its streams ---- */

enum {
  FRAME_STDIN = 0,
  FRAME_STDOUT = 1,
  FRAME_STDERR = 2,
  FRAME_CLOSE_STDIN = 16,
  FRAME_RESIZE = 17,
  FRAME_SUBSCRIBE = 18,
  FRAME_SIGNAL = 19,
  FRAME_GO = 20,
  FRAME_SPAWN = 21,
  FRAME_STARTED = 32,
  FRAME_FAILED = 33,
  FRAME_EXITED = 34,
  FRAME_OUTPUT_END = 35,
  FRAME_LOG_LOST = 36,
};

#define FRAME_HEADER 8
/* No honest client sends a longer one: a longer length means that the stream is not ours. */
#define FRAME_MAX_PAYLOAD (16u * 1024 * 1024)

void frame_header(uint8_t out[FRAME_HEADER], uint8_t type, uint32_t length);
/* False when the header cannot be the start of a frame. */
bool frame_parse(const uint8_t in[FRAME_HEADER], uint8_t *type, uint32_t *length);
uint32_t read_u32be(const uint8_t *in);
uint16_t read_u16be(const uint8_t *in);

/* ---- sys.c ---- */

#define NS_PER_S 1000000000LL

int64_t monotonic_ms(void);
int64_t realtime_ns(void);
void set_nonblocking(int fd);
void set_cloexec(int fd);
/* Both write everything, waiting if need be; false when the other side is gone. */
bool write_all(int fd, const void *bytes, size_t length);
bool send_frame_blocking(int fd, uint8_t type, const void *payload, size_t length);
/* Reads exactly `length` bytes from a socket; false at its end, on an error, or after `timeout_ms`. */
bool read_exactly(int fd, void *into, size_t length, int timeout_ms);
/* A stream socket that listens at `name` in the present directory (so that long paths fit), mode 0600. -1 on error. */
int listen_here(const char *name, int backlog);
/* stdin, stdout and stderr become /dev/null. */
void redirect_stdio_to_null(void);
/* Closes all from `first` up. */
void close_from(int first);
/* From -1000, never killed to free memory, to 1000. False when the kernel denies it. */
bool set_oom_score(int score);
/* Blocks the signals that signalfd reads, ignores those that must not end us. Returns the signalfd (CLOEXEC). */
int take_signals(void);
/* Default actions and an empty mask again, for a child before exec. */
void restore_signals(void);
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* ---- json.c ---- */

/* At most this many bytes come out for each byte that goes in. */
#define JSON_EXPANSION 6
/* Escapes text for the inside of a JSON string; what is not UTF-8 becomes \ufffd. Returns the length written, no terminator. */
size_t json_escape(char *out, const uint8_t *text, size_t length);
/* Length of the longest prefix of `text` that does not cut a UTF-8 sequence in two. */
size_t utf8_whole_prefix(const uint8_t *text, size_t length);

/* ---- log-file.c ---- */

/* Docker splits longer lines, and readers expect the same. */
#define LOG_LINE_MAX (16 * 1024)
/* Labels and environment that are written with every line. */
#define LOG_ATTRIBUTES_MAX (16 * 1024)
#define LOG_ENTRY_MAX (LOG_LINE_MAX * JSON_EXPANSION + LOG_ATTRIBUTES_MAX + 128)
/* Room for one entry of the worst kind beside 32 KiB of waiting ones: one write for a burst, and little memory. */
#define LOG_BATCH_MAX (LOG_ENTRY_MAX + 32 * 1024)

struct rotating_file {
  const char *path; /* NULL: no log */
  int fd;           /* -1: could not be opened, tried again at the next write */
  uint64_t size;
  uint64_t max_bytes; /* 0: unbounded */
  unsigned max_files; /* including the one that is written to */
  bool is_compressed; /* all but the one that is written to */
  pid_t compressor;   /* 0: none at work */
};

void rotating_open(struct rotating_file *file);
/* Makes room for `bytes` more if the file would outgrow its limit. */
void rotating_make_room(struct rotating_file *file, size_t bytes);
/* Appends; returns how many bytes are in the file to stay. Fewer than asked: the disk is full or worse. */
size_t rotating_append(struct rotating_file *file, const char *bytes, size_t length);
/* Appends whole lines, starting a new file wherever the next one does not fit. Returns how many lines are lost. */
uint64_t rotating_write_lines(struct rotating_file *file, const char *bytes, size_t length);
uint64_t count_lines(const char *bytes, size_t length);
/* Length of the longest prefix of whole lines that has at most `room` bytes; `bytes` ends with a line. */
size_t whole_lines_within(const char *bytes, size_t length, size_t room);

/* ---- log-queue.c ---- */

struct log_queue;

/* What one container may hold back in memory. */
#define LOG_QUEUE_MAX (1024u * 1024 * 1024)

/* NULL: there is no memory or no thread for it. Holds whole lines of at least one entry. */
struct log_queue *log_queue_start(struct rotating_file *file, size_t capacity);
/* Never waits: what does not fit is lost. */
void log_queue_push(struct log_queue *queue, const char *bytes, size_t length);
uint64_t log_queue_lost(struct log_queue *queue);
/* Waits a while for the rest to be written. */
void log_queue_end(struct log_queue *queue);

/* ---- log.c ---- */

struct line_buffer {
  uint8_t bytes[LOG_LINE_MAX];
  size_t length;
};

struct container_log {
  struct rotating_file file;
  struct line_buffer partial[2]; /* stdout, stderr */
  const char *attributes;        /* a JSON object that each entry carries, or NULL */
  size_t attributes_length;
  struct log_queue *queue; /* NULL: written at once */
  uint64_t lost_lines;     /* without a queue */
  char batch[LOG_BATCH_MAX];
  size_t batch_length;
};

/* `queue_bytes` 0: output waits for the disk. */
void log_open(struct container_log *log, size_t queue_bytes);
/* What waits is written. */
void log_close(struct container_log *log);
uint64_t log_lost_lines(struct container_log *log);
/* Adds a burst of output of stream 0 (stdout) or 1 (stderr), writing complete lines at once. */
void log_output(struct container_log *log, int stream, const uint8_t *bytes, size_t length);
/* Writes the last line that has no newline. */
void log_end(struct container_log *log, int stream);

/* ---- options.c ---- */

struct entry;

struct options {
  const char *dir;
  const char *runtime;
  const char *state_root;
  const char *id;
  const char *bundle;
  const char *log;
  struct entry *entry; /* NULL: run a container */
  uint64_t log_max_bytes;
  unsigned log_max_files;
  bool log_compress;
  const char *log_attributes;
  uint64_t log_queue_bytes;
  bool tty;
  bool has_stdin;
  uint8_t subscribe;
  uint16_t rows, cols; /* of the terminal of a further process, 0: not known yet */
  bool is_held;        /* which executes its program only when it is told to go */
};

/* NULL, or what is wrong with the arguments. */
const char *parse_run_options(struct options *options, int argc, char **argv);
/* Whole decimal number up to `max`. */
bool parse_number(const char *text, uint64_t max, uint64_t *out);

/* ---- record.c: files in the shim's directory, each written beside and renamed ---- */

struct exit_record {
  pid_t pid;
  int exit_code;
  int signal; /* 0: exited by itself */
  int64_t started_at_ns;
  int64_t exited_at_ns;
  const char *runtime_error; /* what the runtime said when it could not exec the program, or NULL */
};

#define RECORD_MAX 8192
#define RUNTIME_TEXT_MAX 1024

/* Field 22 of /proc/PID/stat, 0 when there is none: with the pid it names one process for as long as the machine is up. */
uint64_t process_start_ticks(pid_t pid);
bool write_state_record(pid_t pid, int64_t started_at_ns);
bool write_exit_record(const struct exit_record *record);
size_t format_started(char *out, size_t room, pid_t pid, int64_t started_at_ns);
size_t format_exited(char *out, size_t room, const struct exit_record *record);

/* ---- stdio.c ---- */

struct stdio {
  int in;     /* our end of the container's stdin, -1: none */
  int out[2]; /* our ends of stdout and stderr, -1: closed. With a terminal out[0] is its master. */
};

/* ours[0] writes the program's stdin, ours[1] and ours[2] read its output; ends[] are the program's sides. -1 where there is none. */
bool make_pipes(const struct options *o, int ours[3], int ends[3]);
/* Bytes and at most one descriptor, -1 if none came. Returns the number of bytes, 0 at the end, or -1 with errno. */
ssize_t receive_descriptor(int connection, void *bytes, size_t room, int *descriptor);
/* The master of a terminal becomes all three streams. */
void adopt_terminal(struct stdio *stdio, int terminal);

/* ---- runtime.c ---- */

struct runtime {
  pid_t pid;      /* of the OCI runtime while it works, else 0 */
  pid_t entered;  /* of a further process in a container, 0: none */
  int verdict_fd; /* where that tells whether it could be started, -1: it has told */
  int error_fd;   /* memory file that the runtime logs to, -1: none */
  int console_fd; /* listening socket for the terminal's master, -1: none */
};

/* Starts the runtime. NULL, or what went wrong. */
const char *runtime_start(struct runtime *runtime, const struct options *options, struct stdio *stdio);
/* Takes the terminal's master from the runtime once it has sent it; false if it has not. */
bool runtime_take_console(struct runtime *runtime, struct stdio *stdio);
/* What the runtime has logged, without the newline at the end. Length, 0: nothing. */
size_t runtime_text(const struct runtime *runtime, char *out, size_t room);
/* The pid that the runtime has written, or 0. */
pid_t runtime_read_pid(void);

/* ---- clients.c ---- */

/* Attached terminals, log followers and the daemon's own connection: far above what one container sees. */
#define MAX_CLIENTS 64
/* One read of a container's output. The size of a pipe. */
#define READ_MAX (64 * 1024)
/* What waits for a client that reads slowly: while it has no room, the container's output is not read. */
#define CLIENT_BUFFER (256 * 1024)
/* Kept free of output, for the frames that tell the state. */
#define CLIENT_RESERVE (2 * RECORD_MAX)
#define STDIN_QUEUE (64 * 1024)

struct client {
  int fd; /* -1: free */
  uint8_t mask;
  bool is_read_closed;
  bool is_hung; /* can take nothing any more, but what it has sent is still read */
  uint8_t header[FRAME_HEADER];
  size_t header_length;
  uint8_t type;
  uint32_t left; /* of the payload */
  uint8_t body[8];
  size_t body_length;
  uint8_t *out;
  size_t out_start;
  size_t out_length;
  int64_t progress_ms; /* when bytes last went out, or began to wait */
};

struct stdin_queue {
  int fd; /* -1: none yet, or closed */
  bool is_open; /* takes bytes; with a terminal before its master has come */
  bool is_terminal;
  bool is_close_wanted;
  size_t length;
  uint8_t bytes[STDIN_QUEUE];
};

/* What a client may cause, for run.c to provide. */
struct client_effects {
  void *context;
  struct stdin_queue *stdin_queue;
  void (*resize)(void *context, uint16_t rows, uint16_t cols);
  void (*signal)(void *context, uint32_t number);
  void (*go)(void *context);
};

void client_init(struct client *client, int fd, uint8_t mask);
void client_drop(struct client *client);
/* The other side takes nothing any more; what it has sent is still read. */
void client_hang_up(struct client *client);
bool client_has_room(const struct client *client, size_t payload);
void client_send(struct client *client, uint8_t type, const void *payload, size_t length);
void client_flush(struct client *client);
/* False while its stdin bytes have nowhere to go. */
bool client_wants_read(const struct client *client, const struct client_effects *effects);
void client_read(struct client *client, const struct client_effects *effects);
void stdin_flush(struct stdin_queue *queue);
void stdin_close(struct stdin_queue *queue);

/* ---- modes ---- */

/* Runs in the process that becomes the shim; `daemon_fd` is the first connection. Never returns. */
_Noreturn void run_shim(const struct options *options, int daemon_fd);
/* Forks one process for each connection to a socket, as the connection asks: a shim, or a short command. */
int serve_main(int argc, char **argv);
int supervise_main(int argc, char **argv);
/* The first process of a container that asked for one. Returns the exit code of its command. */
int init_main(int argc, char **argv);

#endif
