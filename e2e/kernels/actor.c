// What acts in a test machine: opens, writes, executes, forks, as the tests say, and tells what came of each call. One static
// program, copied to several paths so that policies tell binaries apart.
//
//   actor open PATH            opens for reading; the exit status is errno, 0 if it worked
//   actor write PATH TEXT      appends TEXT; likewise
//   actor open-deep FOLDER     opens FOLDER/…/f, whose path is longer than any path may be written; makes it where it is missing
//   actor open-detached FOLDER mounts a file system on FOLDER, detaches it while standing in it, and opens its file f
//   actor literal              forks a child that executes /t/bin/victim, named by a constant whose page is not in memory
//   actor literal-thread       the same by a second thread of the child
//   actor serve                standard input: lines "UID CGROUP BINARY VERB PATH" (CGROUP: a folder of cgroupfs, or -). For each one a child
//                              joins the cgroup, becomes the user and executes BINARY VERB PATH. Answer: "PID STATUS", minus the signal if killed
//   actor hammer THREADS DENIED ALLOWED
//                              threads on one processor open both files by turns until standard input ends, then
//                              "DENIED-CALLS DENIED-THAT-WORKED ALLOWED-CALLS ALLOWED-THAT-FAILED"
//   actor spin ROUNDS COUNT PATH
//                              opens and closes COUNT times in each of ROUNDS; prints the nanoseconds of the monotonic clock that all took,
//                              and those of one call in the fastest round
//   actor bpf                  how many BPF programs, maps and links the kernel has
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINE = 16384, MAX_THREADS = 16 };

static int open_once(const char *path, int flags) {
  int fd = open(path, flags);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int write_once(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_APPEND);
  if (fd < 0) return errno;
  int result = write(fd, text, strlen(text)) < 0 ? errno : 0;
  close(fd);
  return result;
}

static int open_deep(const char *folder) {
  char name[251];
  memset(name, 'd', sizeof name - 1);
  name[sizeof name - 1] = 0;
  mkdir(folder, 0777);
  if (chdir(folder)) return 200;
  for (int depth = 0; depth < 20; depth++) {
    if (mkdir(name, 0777) && errno != EEXIST) return 201;
    if (chdir(name)) return 202;
  }
  return open_once("f", access("f", F_OK) ? O_CREAT | O_RDWR : O_RDONLY);
}

static int open_detached(const char *folder) {
  mkdir(folder, 0777);
  if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) return 200;
  if (mount("tmpfs", folder, "tmpfs", 0, NULL) || chdir(folder)) return 201;
  if (mknod("f", S_IFREG | 0666, 0) || umount2(folder, MNT_DETACH)) return 202;
  return open_once("f", O_RDONLY);
}

static int status_of(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return 255;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char victim_path[4096] __attribute__((aligned(4096))) = "/t/bin/victim";

static void *victim(void *unused) {
  static char *const argv[] = {"victim", "open", "/t/a", NULL};
  if (madvise((void *)victim_path, sizeof victim_path, MADV_DONTNEED)) _exit(200);
  execve(victim_path, argv, environ);
  _exit(errno);
  return unused;
}

static int literal(int by_thread) {
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    if (!by_thread) victim(NULL);
    pthread_create(&thread, NULL, victim, NULL);
    for (;;) pause();
  }
  printf("%d %d\n", child, status_of(child));
  return 0;
}

static void join(const char *cgroup) {
  char path[600];
  snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, "0", 1) != 1) _exit(200);
  close(fd);
}

static void act(uid_t uid, const char *cgroup, const char *binary, const char *verb, const char *path) {
  if (strcmp(cgroup, "-")) join(cgroup);
  if (uid != 0 && (setgid(uid) || setuid(uid))) _exit(201);
  execl(binary, binary, verb, path, "text\n", (char *)0);
  _exit(202);
}

static int serve(void) {
  static char line[MAX_LINE], cgroup[512], binary[512], verb[32], path[MAX_LINE];
  unsigned uid;
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%u %511s %511s %31s %16383s", &uid, cgroup, binary, verb, path) != 5) return 2;
    pid_t child = fork();
    if (child == 0) act(uid, cgroup, binary, verb, path);
    printf("%d %d\n", child, status_of(child));
  }
  return 0;
}

static const char *denied_path, *allowed_path;
static atomic_int stop;
static atomic_ulong denied, leaked, allowed, refused;

static void *hammer_thread(void *unused) {
  do {
    denied++;
    if (open_once(denied_path, O_RDONLY) == 0) leaked++;
    allowed++;
    if (open_once(allowed_path, O_RDONLY) != 0) refused++;
  } while (!atomic_load(&stop));
  return unused;
}

static int hammer(int threads) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  pthread_t ids[MAX_THREADS];
  if (threads > MAX_THREADS) return 2;
  puts("running");
  fflush(stdout);
  for (int i = 0; i < threads; i++) {
    pthread_create(&ids[i], NULL, hammer_thread, NULL);
    pthread_setaffinity_np(ids[i], sizeof one, &one);
  }
  while (getchar() != EOF) {}
  atomic_store(&stop, 1);
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  printf("%lu %lu %lu %lu\n", denied, leaked, allowed, refused);
  return 0;
}

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int spin(long rounds, long count, const char *path) {
  long long all = 0, least = -1;
  for (long round = 0; round < rounds; round++) {
    long long from = now_ns();
    for (long i = 0; i < count; i++)
      if (open_once(path, O_RDONLY)) return errno;
    long long took = now_ns() - from;
    all += took;
    if (least < 0 || took < least) least = took;
  }
  printf("%lld %lld\n", all, least / count);
  return 0;
}

static int count_ids(int command) {
  union bpf_attr attr;
  int count = 0;
  memset(&attr, 0, sizeof attr);
  while (syscall(SYS_bpf, command, &attr, sizeof attr) == 0) {
    count++;
    attr.start_id = attr.next_id;
  }
  return count;
}

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  if (argc >= 3 && !strcmp(verb, "open")) return open_once(argv[2], O_RDONLY);
  if (argc >= 4 && !strcmp(verb, "write")) return write_once(argv[2], argv[3]);
  if (argc >= 3 && !strcmp(verb, "open-deep")) return open_deep(argv[2]);
  if (argc >= 3 && !strcmp(verb, "open-detached")) return open_detached(argv[2]);
  if (!strcmp(verb, "literal")) return literal(0);
  if (!strcmp(verb, "literal-thread")) return literal(1);
  if (!strcmp(verb, "serve")) return serve();
  if (argc == 5 && !strcmp(verb, "hammer")) {
    denied_path = argv[3], allowed_path = argv[4];
    return hammer(atoi(argv[2]));
  }
  if (argc == 5 && !strcmp(verb, "spin")) return spin(atol(argv[2]), atol(argv[3]), argv[4]);
  if (!strcmp(verb, "bpf")) {
    printf("%d %d %d\n", count_ids(BPF_PROG_GET_NEXT_ID), count_ids(BPF_MAP_GET_NEXT_ID), count_ids(BPF_LINK_GET_NEXT_ID));
    return 0;
  }
  fprintf(stderr, "actor: unknown command %s\n", verb);
  return 254;
}
