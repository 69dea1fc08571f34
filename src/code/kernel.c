#include "code/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "code/kernel_rows.h"

/* A symbol further than this from the next one does not reach to it: the gap between the kernel's
 * own text and the modules' is no function. A line has at most 16 digits and two names of 512 and
 * 56 bytes (KSYM_NAME_LEN, MODULE_NAME_LEN; Linux 6.18). */
enum {
  BUFFER_BYTES = 64 << 10,
  FIRST_BYTES = 64 << 10,
  SPAN_MAX = 1 << 20,
  NAMES_MAX = 256 << 20,
  USUAL_NAMES = 200000,
};

struct prof_kernel {
  char *path;
  char *stash_folder; /* NULL: none */
  int fd;
  char buffer[BUFFER_BYTES]; /* what was read and not parsed yet: the start of a line */
  size_t pending_bytes;
  struct prof_kernel_rows all;
  uint64_t stash_key;
  uint32_t last_module;
  bool is_open, is_done, is_sorted, has_bytes, has_address;
  bool is_stashed; /* from the stash: what it does not know, /proc/kallsyms may */
};

struct prof_kernel *prof_kernel_create(const char *path) {
  struct prof_kernel *self = calloc(1, sizeof *self);
  if (self && !(self->path = strdup(path ? path : "/proc/kallsyms"))) {
    free(self);
    self = NULL;
  }
  if (self) {
    self->fd = -1;
    self->is_sorted = true;
  }
  return self;
}

void prof_kernel_stash(struct prof_kernel *self, const char *folder) {
  free(self->stash_folder);
  self->stash_folder = folder && folder[0] ? strdup(folder) : NULL;
}

void prof_kernel_free(struct prof_kernel *self) {
  if (!self)
    return;
  if (self->fd >= 0)
    close(self->fd);
  free(self->path);
  free(self->stash_folder);
  free(self->all.names);
  free(self->all.rows);
  free(self);
}

/* Offset of a copy of a text; 0 where memory ends. */
static uint32_t keep(struct prof_kernel *self, const char *text, size_t length) {
  size_t at = self->all.names_bytes ? self->all.names_bytes : 1;
  if (at + length + 1 > NAMES_MAX ||
      prof_array_reserve((void **)&self->all.names, &self->all.names_capacity, at + length + 1, 1))
    return 0;
  self->all.names[0] = '\0';
  memcpy(self->all.names + at, text, length);
  self->all.names[at + length] = '\0';
  self->all.names_bytes = at + length + 1;
  return (uint32_t)at;
}

/* The lines of a module follow each other. */
static uint32_t keep_module(struct prof_kernel *self, const char *name, size_t length) {
  const char *last = self->last_module ? self->all.names + self->last_module : "";
  if (!self->last_module || strlen(last) != length || memcmp(last, name, length) != 0)
    self->last_module = keep(self, name, length);
  return self->last_module;
}

static void append(struct prof_kernel *self, uint64_t start, char type, const char *name,
                   size_t length, uint32_t module) {
  uint32_t kept = keep(self, name, length);
  if (!kept || prof_array_reserve((void **)&self->all.rows, &self->all.capacity,
                                  self->all.count + 1, sizeof *self->all.rows))
    return;
  if (self->all.count && self->all.rows[self->all.count - 1].start > start)
    self->is_sorted = false;
  self->all.rows[self->all.count++] =
      (struct prof_kernel_row){.start = start,
                               .name = kept,
                               .module = module & 0x3fffffff,
                               .is_weak = type == 'w' || type == 'W',
                               .is_local = type == 't'};
}

/* "ffffffff81000000 T name\t[module]", end is after its last byte. */
static void parse_line(struct prof_kernel *self, const char *line, const char *end) {
  const char *at = line, *name, *tab;
  uint32_t module = 0;
  uint64_t start = 0;
  int digit;
  while (at < end && (digit = prof_hex_digit(*at)) >= 0) {
    start = start << 4 | (uint64_t)digit;
    at++;
  }
  if (at == line || end - at < 4 || at[0] != ' ' || at[2] != ' ' || start == 0)
    return;
  self->has_address = true;
  char type = at[1];
  if ((type != 't' && type != 'T' && type != 'w' && type != 'W') || at[3] == '$')
    return;
  name = at + 3;
  tab = memchr(name, '\t', (size_t)(end - name));
  if (tab == name)
    return;
  if (tab && end - tab > 1 && tab[1] == '[') {
    const char *close = memchr(tab + 2, ']', (size_t)(end - tab - 2));
    module = keep_module(self, tab + 2, (size_t)((close ? close : end) - tab - 2));
  }
  append(self, start, type, name, (size_t)((tab ? tab : end) - name), module);
}

/* Parses the whole lines of the buffer; at the end of the file what is left is one too. */
static void parse_buffer(struct prof_kernel *self, bool is_end) {
  const char *at = self->buffer, *end = at + self->pending_bytes, *line_end;
  while (at < end && (line_end = memchr(at, '\n', (size_t)(end - at)))) {
    parse_line(self, at, line_end);
    at = line_end + 1;
  }
  if (is_end && at < end)
    parse_line(self, at, end);
  self->pending_bytes = is_end ? 0 : (size_t)(end - at);
  if (self->pending_bytes == sizeof self->buffer) /* no line is that long */
    self->pending_bytes = 0;
  memmove(self->buffer, end - self->pending_bytes, self->pending_bytes);
}

static int compare(const void *left, const void *right) {
  const struct prof_kernel_row *a = left, *b = right;
  if (a->start != b->start)
    return a->start < b->start ? -1 : 1;
  return a->name < b->name ? -1 : a->name > b->name; /* as in the file: names are kept in order */
}

static void finish(struct prof_kernel *self) {
  parse_buffer(self, true);
  if (!self->is_sorted)
    qsort(self->all.rows, self->all.count, sizeof *self->all.rows, compare);
  if (self->fd >= 0)
    close(self->fd);
  self->fd = -1;
  self->is_done = true;
  if (self->stash_key && self->has_address)
    prof_kernel_rows_save(&self->all, self->stash_folder, self->stash_key);
}

/* From what another process has read; what is hidden from this one stays hidden. */
static bool recall(struct prof_kernel *self) {
  struct prof_kernel_rows stashed;
  if (!self->stash_key || !self->has_address ||
      prof_kernel_rows_load(&stashed, self->stash_folder, self->stash_key))
    return false;
  free(self->all.rows);
  free(self->all.names);
  self->all = stashed;
  close(self->fd);
  self->fd = -1;
  self->pending_bytes = 0;
  self->is_done = self->is_stashed = true;
  return true;
}

/* The stash does not know an address: /proc/kallsyms is read after all. */
static void forget_stash(struct prof_kernel *self) {
  free(self->all.rows);
  free(self->all.names);
  self->all = (struct prof_kernel_rows){0};
  free(self->stash_folder); /* what is kept there is as good as it can be */
  self->stash_folder = NULL;
  self->stash_key = 0;
  self->last_module = 0;
  self->is_open = self->is_done = self->is_stashed = false;
  self->is_sorted = true;
}

/* Room for all names at once: pages that are never touched cost nothing, growing by copies does. */
static void open_file(struct prof_kernel *self) {
  self->fd = open(self->path, O_RDONLY | O_CLOEXEC);
  self->is_open = true;
  if (self->fd < 0)
    return;
  self->stash_key = self->stash_folder ? prof_kernel_rows_key() : 0;
  prof_array_reserve((void **)&self->all.names, &self->all.names_capacity, USUAL_NAMES * 24, 1);
  prof_array_reserve((void **)&self->all.rows, &self->all.capacity, USUAL_NAMES,
                     sizeof *self->all.rows);
}

/* true: the file ends here. */
static bool read_some(struct prof_kernel *self, size_t bytes) {
  for (size_t count = 0; count < bytes;) {
    ssize_t got = self->fd < 0 ? 0
                               : read(self->fd, self->buffer + self->pending_bytes,
                                      sizeof self->buffer - self->pending_bytes);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return true;
    self->has_bytes = true;
    self->pending_bytes += (size_t)got;
    count += (size_t)got;
    parse_buffer(self, false);
  }
  return false;
}

bool prof_kernel_read(struct prof_kernel *self, size_t bytes) {
  bool is_first = !self->is_open;
  if (self->is_done)
    return false;
  if (is_first)
    open_file(self);
  bool is_end = read_some(self, is_first ? FIRST_BYTES : bytes);
  if (!(is_first && recall(self)) && is_end)
    finish(self);
  return true;
}

static void read_rest(struct prof_kernel *self) {
  while (prof_kernel_read(self, SIZE_MAX))
    ;
}

/* perf's order among symbols of one address: strong, global, fewer leading underscores, longer. */
static bool is_better(const struct prof_kernel *self, const struct prof_kernel_row *a,
                      const struct prof_kernel_row *b) {
  const char *left = self->all.names + a->name, *right = self->all.names + b->name;
  size_t left_under = strspn(left, "_"), right_under = strspn(right, "_");
  if (a->is_weak != b->is_weak)
    return b->is_weak;
  if (a->is_local != b->is_local)
    return b->is_local;
  if (left_under != right_under)
    return left_under < right_under;
  return strlen(left) > strlen(right);
}

/* The last row of the function at an address; -1: none. */
static int64_t row_at(const struct prof_kernel *self, uint64_t address) {
  size_t low = 0, high = self->all.count;
  uint64_t start, end;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->all.rows[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return -1;
  start = self->all.rows[low - 1].start;
  end = low < self->all.count ? self->all.rows[low].start : start + 4096;
  if (end - start > SPAN_MAX)
    end = start + 4096 * 16;
  return address < end ? (int64_t)(low - 1) : -1;
}

bool prof_kernel_start(const struct prof_kernel *self, uint64_t address, uint64_t *start) {
  int64_t row = self->is_done ? row_at(self, address) : -1;
  if (row < 0 || !self->all.rows[row].name)
    return false;
  *start = self->all.rows[row].start;
  return true;
}

bool prof_kernel_find(struct prof_kernel *self, uint64_t address, struct prof_kernel_symbol *out) {
  read_rest(self);
  int64_t last = row_at(self, address);
  if (self->is_stashed && (last < 0 || !self->all.rows[last].name)) {
    forget_stash(self);
    read_rest(self);
    last = row_at(self, address);
  }
  if (last < 0)
    return false;
  size_t best = (size_t)last;
  uint64_t start = self->all.rows[best].start;
  for (size_t i = best; i-- > 0 && self->all.rows[i].start == start;)
    if (!is_better(self, &self->all.rows[best], &self->all.rows[i]))
      best = i;
  out->name = self->all.names + self->all.rows[best].name;
  out->module = self->all.rows[best].module ? self->all.names + self->all.rows[best].module : NULL;
  out->start = start;
  return true;
}

size_t prof_kernel_count(struct prof_kernel *self) {
  read_rest(self);
  return self->all.count;
}

const char *prof_kernel_note(struct prof_kernel *self) {
  if (!self->is_open)
    prof_kernel_read(self, FIRST_BYTES);
  if (!self->has_bytes)
    return "/proc/kallsyms cannot be read, so kernel functions have no names";
  if (!self->has_address)
    return "the kernel hides its addresses (kernel.kptr_restrict, kernel.perf_event_paranoid), so "
           "kernel functions have no names";
  if (self->is_done && self->all.count == 0)
    return "/proc/kallsyms lists no functions, so kernel functions have no names";
  return NULL;
}
