#include "code/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

enum { READ_BYTES = 65536 };

/* Lower-case hex up to the character that must follow; NULL where it does not. */
static const char *hex(const char *at, char stop, uint64_t *out) {
  uint64_t value = 0;
  const char *first = at;
  for (;; at++) {
    unsigned digit;
    if (*at >= '0' && *at <= '9')
      digit = (unsigned)(*at - '0');
    else if (*at >= 'a' && *at <= 'f')
      digit = (unsigned)(*at - 'a') + 10;
    else
      break;
    value = value << 4 | digit;
  }
  *out = value;
  return at > first && at - first <= 16 && *at == stop ? at + 1 : NULL;
}

/* "start-end perms offset dev inode   path" (man 5 proc) */
static bool parse_line(const char *line, struct prof_mapping *out) {
  const char *at = hex(line, '-', &out->start), *rights;
  if (!at || !(at = hex(at, ' ', &out->end)) || strnlen(at, 5) < 5)
    return false;
  rights = at;
  at = hex(at + 5, ' ', &out->offset);
  for (int fields = 0; at && fields < 2; fields++) { /* device, inode */
    at += strcspn(at, " ");
    at += strspn(at, " ");
  }
  out->is_executable = rights[2] == 'x';
  out->path = at;
  return at && out->end > out->start;
}

void prof_maps_parse(char *text, prof_maps_visit *visit, void *user) {
  while (*text) {
    size_t length = strcspn(text, "\n");
    bool is_last = text[length] == '\0';
    struct prof_mapping mapping;
    text[length] = '\0';
    if (parse_line(text, &mapping))
      visit(user, &mapping);
    text += is_last ? length : length + 1;
  }
}

int prof_maps_read(const char *file, prof_maps_visit *visit, void *user, int *sys_errno) {
  int fd = open(file, O_RDONLY | O_CLOEXEC), status = -1;
  char *text = NULL;
  size_t count = 0, capacity = 0;
  if (fd < 0) {
    *sys_errno = errno;
    return -1;
  }
  for (;;) {
    ssize_t got;
    if (prof_array_reserve((void **)&text, &capacity, count + READ_BYTES + 1, 1)) {
      *sys_errno = ENOMEM;
      goto out;
    }
    got = read(fd, text + count, READ_BYTES);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      *sys_errno = errno;
      goto out;
    }
    if (got == 0)
      break;
    count += (size_t)got;
  }
  text[count] = '\0';
  prof_maps_parse(text, visit, user);
  status = 0;
out:
  close(fd);
  free(text);
  return status;
}
