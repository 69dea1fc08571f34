#include "code/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"

enum { READ_BYTES = 65536 };

/* Hex up to the character that must follow; NULL where it does not. */
static const char *hex(const char *at, char stop, uint64_t *out) {
  const char *first = at;
  int digit;
  for (*out = 0; (digit = prof_hex_digit(*at)) >= 0; at++)
    *out = *out << 4 | (uint64_t)digit;
  return at > first && at - first <= 16 && *at == stop ? at + 1 : NULL;
}

/* "start-end perms offset major:minor inode   path" (man 5 proc) */
static bool parse_line(const char *line, struct prof_mapping *out) {
  const char *at = hex(line, '-', &out->start), *rights;
  uint64_t major, minor;
  char *end;
  if (!at || !(at = hex(at, ' ', &out->end)) || strnlen(at, 5) < 5)
    return false;
  rights = at;
  if (!(at = hex(at + 5, ' ', &out->offset)) || !(at = hex(at, ':', &major)) ||
      !(at = hex(at, ' ', &minor)))
    return false;
  out->inode = strtoull(at, &end, 10);
  out->device = major << 32 | minor;
  out->is_executable = rights[2] == 'x';
  out->path = end + strspn(end, " ");
  return end > at && out->end > out->start;
}

void prof_maps_parse(char *text, prof_maps_visit *visit, void *user) {
  while (*text) {
    size_t length = strcspn(text, "\n");
    bool is_last = text[length] == '\0';
    struct prof_mapping mapping;
    text[length] = '\0';
    if (parse_line(text, &mapping))
      visit(user, &mapping);
    if (is_last)
      return;
    text[length] = '\n';
    text += length + 1;
  }
}

char *prof_maps_text(const char *file, int *sys_errno) {
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  char *text = NULL;
  size_t count = 0, capacity = 0;
  ssize_t got = -1;
  *sys_errno = errno;
  while (fd >= 0 && got) {
    if (prof_array_reserve((void **)&text, &capacity, count + READ_BYTES + 1, 1)) {
      *sys_errno = ENOMEM;
      break;
    }
    got = read(fd, text + count, READ_BYTES);
    *sys_errno = errno;
    if (got < 0 && *sys_errno != EINTR)
      break;
    count += got < 0 ? 0 : (size_t)got;
  }
  if (fd >= 0)
    close(fd);
  if (got) {
    free(text);
    return NULL;
  }
  text[count] = '\0';
  return text;
}

int prof_maps_read(const char *file, prof_maps_visit *visit, void *user, int *sys_errno) {
  char *text = prof_maps_text(file, sys_errno);
  if (!text)
    return -1;
  prof_maps_parse(text, visit, user);
  free(text);
  return 0;
}
