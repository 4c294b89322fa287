// The host's hand inside a test machine: a TCP server that runs commands, and relays to unix sockets, for whoever
// connects. One connection, one command. It trusts its peer entirely: the machine lives for one test run, on loopback.
//
// Request:  u32 length, then strings, each closed by a NUL:
//   "exec" UID CWD PROGRAM ARGUMENT…      then frames follow in both directions
//   "unix" UID PATH                        then the connection is the socket, byte for byte
// Frame:    u8 kind, u32 length, bytes. To the guest: 0 input (length 0: its end), 4 signal number.
//           From the guest: 1 stdout, 2 stderr, 3 the end (i32: exit status, or minus the signal's number).
// All numbers are little-endian, as the only machine that is emulated.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 1024, MAX_STRINGS = 256, MAX_REQUEST = 1 << 17, CHUNK = 1 << 16 };
enum { FRAME_INPUT, FRAME_OUT, FRAME_ERR, FRAME_END, FRAME_SIGNAL };

static int read_all(int fd, void *buffer, size_t length) {
  for (char *at = buffer; length > 0;) {
    ssize_t got = read(fd, at, length);
    if (got <= 0) return -1;
    at += got, length -= got;
  }
  return 0;
}

static void write_all(int fd, const void *buffer, size_t length) {
  for (const char *at = buffer; length > 0;) {
    ssize_t put = write(fd, at, length);
    if (put < 0) exit(1);
    at += put, length -= put;
  }
}

static void send_frame(int fd, uint8_t kind, const void *bytes, uint32_t length) {
  write_all(fd, &kind, 1);
  write_all(fd, &length, 4);
  write_all(fd, bytes, length);
}

static void become(const char *uid_text) {
  uid_t uid = atoi(uid_text);
  if (uid != 0 && (setgroups(0, 0) || setgid(uid) || setuid(uid))) exit(126);
}

static void relay(int peer, char **words) {
  become(words[1]);
  int target = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, words[2], sizeof address.sun_path - 1);
  if (connect(target, (void *)&address, sizeof address)) exit(1);
  static char buffer[CHUNK];
  struct pollfd waits[2] = {{peer, POLLIN, 0}, {target, POLLIN, 0}};
  for (;;) {
    if (poll(waits, 2, -1) < 0) exit(1);
    for (int side = 0; side < 2; side++) {
      if (!waits[side].revents) continue;
      ssize_t got = read(waits[side].fd, buffer, sizeof buffer);
      if (got <= 0) exit(0);
      write_all(waits[1 - side].fd, buffer, got);
    }
  }
}

// Takes one frame of the peer. `held` collects input that the command has not taken yet: a command that writes much
// before it reads must not be waited for here.
struct input { char *bytes; size_t start, end, room; int closed; };

static void take_frame(int peer, pid_t child, struct input *held) {
  uint8_t kind;
  uint32_t length;
  if (read_all(peer, &kind, 1) || read_all(peer, &length, 4)) {
    kill(-child, SIGKILL);
    exit(1);
  }
  if (kind == FRAME_SIGNAL) {
    int32_t number;
    if (length == 4 && !read_all(peer, &number, 4)) kill(-child, number);
    return;
  }
  if (length == 0) { held->closed = 1; return; }
  if (held->start == held->end) held->start = held->end = 0;
  if (held->end + length > held->room) {
    held->room = 2 * (held->end + length);
    if (!(held->bytes = realloc(held->bytes, held->room))) exit(1);
  }
  if (read_all(peer, held->bytes + held->end, length)) exit(1);
  held->end += length;
}

static void execute(int peer, char **words) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) exit(1);
  pid_t child = fork();
  if (child == 0) {
    dup2(in[0], 0), dup2(out[1], 1), dup2(err[1], 2);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    if (chdir(words[2])) { perror(words[2]); _exit(126); }
    become(words[1]);
    execvp(words[3], words + 3);
    fprintf(stderr, "%s: %s\n", words[3], strerror(errno));
    _exit(127);
  }
  close(in[0]), close(out[1]), close(err[1]);
  int end = syscall(SYS_pidfd_open, child, 0);
  fcntl(in[1], F_SETFL, O_NONBLOCK);
  static char buffer[CHUNK];
  struct input held = {0};
  int ended = 0, status = 0;
  struct pollfd waits[5] = {{peer, POLLIN, 0}, {out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {in[1], 0, 0}, {end, POLLIN, 0}};
  while (!ended || waits[1].fd >= 0 || waits[2].fd >= 0) {
    waits[3].events = held.end > held.start ? POLLOUT : 0;
    int ready = poll(waits, 5, ended ? 0 : -1);
    if (ready < 0) exit(1);
    // After the command's end only what it has written already is passed on: what it left in the background may hold
    // the pipes for ever.
    if (ended && ready == 0) break;
    if (waits[4].revents && waitpid(child, &status, WNOHANG) == child) ended = 1, waits[4].fd = -1;
    for (int i = 1; i <= 2; i++) {
      if (!waits[i].revents) continue;
      ssize_t got = read(waits[i].fd, buffer, sizeof buffer);
      if (got > 0) send_frame(peer, i == 1 ? FRAME_OUT : FRAME_ERR, buffer, got);
      else waits[i].fd = -1;
    }
    if (waits[3].fd >= 0 && waits[3].revents) {
      ssize_t put = write(in[1], held.bytes + held.start, held.end - held.start);
      if (put > 0) held.start += put;
      else if (errno != EAGAIN) held.start = held.end, waits[3].fd = -1;
    }
    if (waits[0].revents) take_frame(peer, child, &held);
    if (waits[3].fd >= 0 && held.closed && held.start == held.end) close(in[1]), waits[3].fd = -1;
  }
  int32_t code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  send_frame(peer, FRAME_END, &code, 4);
}

static void serve(int peer) {
  uint32_t length;
  static char request[MAX_REQUEST];
  char *words[MAX_STRINGS + 1] = {0};
  if (read_all(peer, &length, 4) || length == 0 || length > MAX_REQUEST || read_all(peer, request, length)) return;
  if (request[length - 1] != 0) return;
  int count = 0;
  for (char *at = request; at < request + length && count < MAX_STRINGS; at += strlen(at) + 1) words[count++] = at;
  if (count >= 4 && !strcmp(words[0], "exec")) execute(peer, words);
  else if (count == 3 && !strcmp(words[0], "unix")) relay(peer, words);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 64)) { perror("guestd"); return 1; }
  puts("guestd ready");
  fflush(stdout);
  for (;;) {
    int peer = accept4(listener, 0, 0, SOCK_CLOEXEC);
    while (waitpid(-1, 0, WNOHANG) > 0) {}
    if (peer < 0) continue;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fork() == 0) { serve(peer); exit(0); }
    close(peer);
  }
}
