#include "code/perfmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/text.h"
#include "code/v8name.h"

enum { READ_BYTES = 64 * 1024, NAME_BYTES_MAX = 4096 };

int prof_perfmap_open(struct prof_perfmap *self, const char *path, struct prof_error *error) {
  char own[64];
  struct stat status;
  int fd;
  memset(self, 0, offsetof(struct prof_perfmap, line));
  self->fd = -1;
  if (!path) {
    snprintf(own, sizeof own, "/tmp/perf-%d.map", (int)getpid());
    path = own;
  }
  /* O_NONBLOCK: somebody's FIFO of that name must not hang the build */
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    int failed = errno;
    return failed == ELOOP ? prof_error_set(error, PROF_BAD_FILE, failed, "open",
                                            "%s is a symbolic link: not followed", path)
                           : prof_error_set(error, PROF_SYSTEM, failed, "open",
                                            "cannot open %s: %s (node writes it with "
                                            "--perf-basic-prof)",
                                            path, strerror(failed));
  }
  if (fstat(fd, &status) || !S_ISREG(status.st_mode) ||
      (status.st_uid != geteuid() && status.st_uid != 0)) {
    close(fd);
    return prof_error_set(error, PROF_BAD_FILE, 0, NULL,
                          "%s is no regular file of this user's: not read", path);
  }
  self->fd = fd;
  return PROF_OK;
}

void prof_perfmap_close(struct prof_perfmap *self) {
  if (self->fd >= 0)
    close(self->fd);
  self->fd = -1;
}

/* Lower- or upper-case hex up to a space; false for none, too many digits, or another ending. */
static bool take_hex(const char **at, const char *end, uint64_t *value) {
  const char *start = *at;
  *value = 0;
  if (end - start > 2 && start[0] == '0' && (start[1] | 0x20) == 'x')
    start = *at += 2; /* as LLVM's and some other runtimes write it */
  for (; *at < end && **at != ' '; ++*at) {
    int digit = prof_hex_digit(**at);
    if (digit < 0 || *value >> 60)
      return false;
    *value = *value << 4 | (uint64_t)digit;
  }
  if (*at == start || *at == end)
    return false;
  ++*at;
  return true;
}

static bool add_line(const char *line, size_t length, struct prof_space *space,
                     struct prof_arena *names) {
  const char *at = line, *end = line + length;
  struct prof_code code = {.module = -1};
  uint8_t kind;
  size_t name_bytes;
  if (length && line[length - 1] == '\r')
    end--;
  if (!take_hex(&at, end, &code.start) || !take_hex(&at, end, &code.size) || at >= end)
    return false;
  if (code.size == 0 || code.start + code.size < code.start ||
      code.start + code.size > 1ull << PROF_ARCH_ADDRESS_BITS)
    return false;
  name_bytes = (size_t)(end - at) < NAME_BYTES_MAX ? (size_t)(end - at) : NAME_BYTES_MAX;
  prof_v8name_classify(at, name_bytes, 1, &kind, &code.tier);
  code.kind = kind == PROF_CODE_JIT ? PROF_CODE_PERFMAP : kind;
  code.start = prof_space_canonical(space, code.start);
  code.name = prof_arena_copy_text(names, at, name_bytes);
  return code.name && prof_space_add(space, &code) != PROF_CODE_NONE;
}

size_t prof_perfmap_feed(struct prof_perfmap *self, const char *bytes, size_t size,
                         struct prof_space *space, struct prof_arena *names) {
  const char *end = bytes + size;
  uint64_t before = self->added;
  while (bytes < end) {
    const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
    size_t piece = (size_t)((newline ? newline : end) - bytes);
    if (self->is_overlong || piece > sizeof self->line - self->held) {
      self->skipped += newline != NULL;
      self->is_overlong = newline == NULL;
      self->held = 0;
    } else {
      memcpy(self->line + self->held, bytes, piece);
      self->held += piece;
      if (newline) {
        bool is_added = self->held && add_line(self->line, self->held, space, names);
        self->added += is_added;
        self->skipped += !is_added;
        self->held = 0;
      }
    }
    bytes += piece + (newline != NULL);
  }
  return (size_t)(self->added - before);
}

size_t prof_perfmap_read(struct prof_perfmap *self, struct prof_space *space,
                         struct prof_arena *names) {
  char bytes[READ_BYTES];
  size_t added = 0;
  ssize_t got;
  if (self->fd < 0)
    return 0;
  while ((got = read(self->fd, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR))
    if (got > 0)
      added += prof_perfmap_feed(self, bytes, (size_t)got, space, names);
  return added;
}
