#ifndef GLOVEBOX_ASK_H
#define GLOVEBOX_ASK_H

/* Prints what the daemon draws for a command line, or becomes the program that runs it. Returns the exit code. */
int ask_main(int argc, char **argv);

#endif
