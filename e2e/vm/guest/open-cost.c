// Prints the guest nanoseconds that one open and close of a file takes, the least of several rounds: with an instruction clock
// (QEMU -icount shift=0) a nanosecond is an instruction.   open-cost PATH
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20, CALLS = 200 };

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int main(int count, char **words) {
  if (count != 2) return 2;
  uint64_t least = ~0ull;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t started = now();
    for (int call = 0; call < CALLS; call++) {
      int file = open(words[1], O_RDONLY);
      if (file < 0) { perror(words[1]); return 1; }
      close(file);
    }
    uint64_t took = (now() - started) / CALLS;
    if (took < least) least = took;
  }
  printf("%lu\n", (unsigned long)least);
  return 0;
}
