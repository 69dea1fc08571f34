#include "trace/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "perf/os.h"

void prof_cpu_add(struct prof_cpu *self, uint32_t pid) {
  for (size_t i = self->count; i > 0; i--)
    if (self->rows[i - 1].pid == pid)
      return;
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows) == 0)
    self->rows[self->count++] = (struct prof_cpu_row){.pid = pid};
}

double prof_cpu_read(struct prof_cpu *self) {
  double sum = 0, tick_ns = 1e9 / (double)sysconf(_SC_CLK_TCK);
  for (size_t i = 0; i < self->count; i++) {
    char path[64], text[1024];
    unsigned long user, system;
    snprintf(path, sizeof path, "/proc/%u/stat", self->rows[i].pid);
    /* The name may hold blanks and parentheses: what follows its last one has 11 words first. */
    if (prof_os_real.read_file(prof_os_real.user, path, text, sizeof text) > 0) {
      const char *after = strrchr(text, ')');
      if (after && sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                          &system) == 2)
        self->rows[i].ns = (double)(user + system) * tick_ns;
    }
    sum += self->rows[i].ns;
  }
  return sum;
}

void prof_cpu_free(struct prof_cpu *self) {
  free(self->rows);
  *self = (struct prof_cpu){0};
}

double prof_cpu_children(void) {
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e9 +
         ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) * 1e3;
}
