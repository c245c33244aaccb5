#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY_ALG 38
#define SEQPACKET 5

/* The 32-bit entrance of a 64-bit kernel: numbers and structures are those of i386, pointers must lie low. */
static long call32(long number, long first, long second, long third) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

static void tell(const char *name, long result) {
  printf("%s %s\n", name, result >= 0 ? "open" : result == -EPERM ? "denied" : "absent");
}

/* Opens sockets in every way that x86 has, and says what came of each. */
int main(void) {
  long opened = socket(FAMILY_ALG, SEQPACKET, 0);
  tell("socket64-alg", opened < 0 ? -errno : opened);
  unsigned *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  tell("socket32-alg", call32(359, FAMILY_ALG, SEQPACKET, 0));
  low[0] = FAMILY_ALG;
  low[1] = SEQPACKET;
  low[2] = 0;
  tell("socketcall32-alg", call32(102, 1, (long)low, 0));
  low[0] = AF_INET;
  low[1] = SOCK_STREAM;
  tell("socketcall32-inet", call32(102, 1, (long)low, 0));
  return 0;
}
