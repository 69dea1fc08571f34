#include "profile/samples.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int prof_samples_add(struct prof_samples *self, const struct prof_sample *sample) {
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows)) {
    return -1;
  }
  self->rows[self->count++] = *sample;
  return 0;
}

static int by_time(const void *left, const void *right) {
  const struct prof_sample *a = left, *b = right;
  if (a->time_ns != b->time_ns)
    return a->time_ns < b->time_ns ? -1 : 1;
  return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

void prof_samples_sort(struct prof_samples *self) {
  bool sorted = true;
  for (size_t i = 1; i < self->count && sorted; i++) {
    sorted = self->rows[i - 1].time_ns <= self->rows[i].time_ns;
  }
  if (!sorted)
    qsort(self->rows, self->count, sizeof *self->rows, by_time);
}

void prof_samples_forget(struct prof_samples *self, uint64_t before_ns) {
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i++) {
    if (self->rows[i].time_ns >= before_ns)
      self->rows[kept++] = self->rows[i];
  }
  self->forgotten += self->count - kept;
  self->count = kept;
  /* Room for as many again stays: a watch needs it for the next build. */
  size_t capacity = kept ? 2 * kept : 1;
  if (capacity * 2 > self->capacity)
    return;
  struct prof_sample *rows = realloc(self->rows, capacity * sizeof *rows);
  if (rows) {
    self->rows = rows;
    self->capacity = capacity;
  }
}

void prof_samples_free(struct prof_samples *self) {
  free(self->rows);
  memset(self, 0, sizeof *self);
}

uint32_t prof_threads_add(struct prof_threads *self, uint32_t tid, uint64_t start_ns,
                          const char *name) {
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows)) {
    return UINT32_MAX;
  }
  struct prof_thread_row *row = &self->rows[self->count];
  *row = (struct prof_thread_row){.tid = tid, .start_ns = start_ns};
  snprintf(row->name, sizeof row->name, "%s", name);
  return (uint32_t)self->count++;
}

void prof_threads_free(struct prof_threads *self) {
  free(self->rows);
  memset(self, 0, sizeof *self);
}
