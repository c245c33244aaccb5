#ifndef GLOVEBOX_ASK_H
#define GLOVEBOX_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/* Prints what the daemon draws for a command line, or becomes the program that runs it. Returns the exit code. */
int ask_main(int argc, char **argv);

/* Has the daemon behind `fd` run a command and prints what it says meanwhile. The exit code, or -1: it does not, and nothing happened. */
int run_there(int fd, const char *program, int count, char **words);

/* Room for the words of a command line as a list in JSON. */
size_t words_room(int count, char **words);
/* Writes the list; gives its length. */
size_t put_words(char *out, int count, char **words);

/* 0: nothing below the paths is newer than the stamp; 1: something is; 2: it could not be told. */
int fresh_main(int argc, char **argv);

#endif
