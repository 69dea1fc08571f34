#include "code/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

/* A symbol further than this from the next one does not reach to it: the gap between the kernel's
 * own text and the modules' is no function. */
enum { READ_BYTES = 1 << 20, SPAN_MAX = 1 << 20, TEXT_MAX = 256 << 20 };

struct row {
  uint64_t start;
  uint32_t name;   /* offset into text */
  uint32_t module; /* offset into text, 0: none */
  uint32_t order;  /* in the file, for a stable sort */
  bool is_weak, is_local;
};

struct prof_kernel {
  char *path;
  char *text; /* the file itself; names are cut out of it in place */
  struct row *rows;
  size_t count, capacity;
  const char *note;
  bool tried;
};

struct prof_kernel *prof_kernel_create(const char *path) {
  struct prof_kernel *self = calloc(1, sizeof *self);
  if (self && !(self->path = strdup(path ? path : "/proc/kallsyms"))) {
    free(self);
    self = NULL;
  }
  return self;
}

void prof_kernel_free(struct prof_kernel *self) {
  if (!self)
    return;
  free(self->path);
  free(self->text);
  free(self->rows);
  free(self);
}

static size_t read_all(struct prof_kernel *self) {
  size_t count = 0, capacity = 0;
  int fd = open(self->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  while (count < TEXT_MAX) {
    ssize_t got;
    if (prof_array_reserve((void **)&self->text, &capacity, count + READ_BYTES + 1, 1))
      break;
    got = read(fd, self->text + count, READ_BYTES);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    count += (size_t)got;
  }
  close(fd);
  if (self->text)
    self->text[count] = '\0';
  return count;
}

static int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void append(struct prof_kernel *self, uint64_t start, char type, char *name, char *module) {
  struct row *row;
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows))
    return;
  row = &self->rows[self->count];
  *row = (struct row){.start = start,
                      .name = (uint32_t)(name - self->text),
                      .module = module ? (uint32_t)(module - self->text) : 0,
                      .order = (uint32_t)self->count,
                      .is_weak = type == 'w' || type == 'W',
                      .is_local = type == 't'};
  self->count++;
}

/* "ffffffff81000000 T name\t[module]\n"; returns where the next line starts. */
static char *parse_line(struct prof_kernel *self, char *line, bool *has_address) {
  char *at = line, *end = strchr(line, '\n'), *name, *module = NULL;
  char *next = end ? end + 1 : line + strlen(line);
  uint64_t start = 0;
  int digit;
  char type;
  if (end)
    *end = '\0';
  while ((digit = digit_of(*at)) >= 0) {
    start = start << 4 | (uint64_t)digit;
    at++;
  }
  if (at == line || at[0] != ' ' || at[1] == '\0' || at[2] != ' ')
    return next;
  type = at[1];
  name = at + 3;
  at = name + strcspn(name, "\t");
  if (*at == '\t') {
    *at++ = '\0';
    if (*at == '[') {
      module = at + 1;
      module[strcspn(module, "]")] = '\0';
    }
  }
  if (start == 0)
    return next;
  *has_address = true;
  if ((type == 't' || type == 'T' || type == 'w' || type == 'W') && *name && *name != '$')
    append(self, start, type, name, module);
  return next;
}

static int compare(const void *left, const void *right) {
  const struct row *a = left, *b = right;
  if (a->start != b->start)
    return a->start < b->start ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

static void load(struct prof_kernel *self) {
  bool has_address = false, is_sorted = true;
  size_t bytes;
  if (self->tried)
    return;
  self->tried = true;
  bytes = read_all(self);
  for (char *at = self->text; at && at < self->text + bytes && *at;)
    at = parse_line(self, at, &has_address);
  for (size_t i = 1; i < self->count && is_sorted; i++)
    is_sorted = self->rows[i - 1].start <= self->rows[i].start;
  if (!is_sorted)
    qsort(self->rows, self->count, sizeof *self->rows, compare);
  if (bytes == 0)
    self->note = "/proc/kallsyms cannot be read, so kernel functions have no names";
  else if (!has_address)
    self->note = "the kernel hides its addresses (kernel.kptr_restrict or missing CAP_SYSLOG), so "
                 "kernel functions have no names: sysctl kernel.kptr_restrict=0 and "
                 "kernel.perf_event_paranoid=1 show them";
  else if (self->count == 0)
    self->note = "/proc/kallsyms lists no functions, so kernel functions have no names";
}

/* perf's order among symbols of one address: strong, global, fewer leading underscores, longer. */
static bool is_better(const struct prof_kernel *self, const struct row *a, const struct row *b) {
  const char *left = self->text + a->name, *right = self->text + b->name;
  size_t left_under = strspn(left, "_"), right_under = strspn(right, "_");
  if (a->is_weak != b->is_weak)
    return b->is_weak;
  if (a->is_local != b->is_local)
    return b->is_local;
  if (left_under != right_under)
    return left_under < right_under;
  return strlen(left) > strlen(right);
}

bool prof_kernel_find(struct prof_kernel *self, uint64_t address, struct prof_kernel_symbol *out) {
  size_t low = 0, high, best, next;
  uint64_t start, end;
  load(self);
  high = self->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->rows[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return false;
  next = low;
  best = low - 1;
  start = self->rows[best].start;
  end = next < self->count ? self->rows[next].start : start + 4096;
  if (end - start > SPAN_MAX)
    end = start + 4096 * 16;
  if (address >= end)
    return false;
  for (size_t i = best; i-- > 0 && self->rows[i].start == start;)
    if (!is_better(self, &self->rows[best], &self->rows[i]))
      best = i;
  out->name = self->text + self->rows[best].name;
  out->module = self->rows[best].module ? self->text + self->rows[best].module : NULL;
  out->start = start;
  out->index = (uint32_t)best;
  return true;
}

bool prof_kernel_available(struct prof_kernel *self) {
  load(self);
  return self->count > 0;
}

size_t prof_kernel_count(struct prof_kernel *self) {
  load(self);
  return self->count;
}

const char *prof_kernel_note(struct prof_kernel *self) {
  load(self);
  return self->note;
}
