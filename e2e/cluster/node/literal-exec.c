// Forks, and lets the child exec a path that nobody has read yet: a string literal far from everything else, so that its
// page is not in memory when execve is entered. What a kernel probe reads there at that moment is "unknown".
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAR = 1 << 20 };

// Twice the distance that the kernel reads ahead around a page.
static const struct { char before[FAR]; char path[4096]; char after[FAR]; } literal __attribute__((aligned(4096))) = {
    .before = {1}, .path = "/bin/nc", .after = {1}};

int main(void) {
  pid_t child = fork();
  if (child == 0) {
    char *const arguments[] = {(char *)literal.path, "-h", 0};
    execve(literal.path, arguments, (char *const[]){0});
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) printf("signal %d\n", WTERMSIG(status));
  else printf("status %d\n", WEXITSTATUS(status));
  return 0;
}
