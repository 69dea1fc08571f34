#include "session/resident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

void prof_resident_open(struct prof_resident *self, uint64_t every_ns) {
  *self = (struct prof_resident){.every_ns = every_ns};
  self->file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

void prof_resident_free(struct prof_resident *self) {
  if (self->rows || self->every_ns) { /* was opened */
    if (self->file >= 0)
      close(self->file);
    free(self->rows);
  }
  *self = (struct prof_resident){.file = -1};
}

static void thin_out(struct prof_resident *self) {
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i += 2)
    self->rows[kept++] = self->rows[i];
  self->count = kept;
  self->every_ns *= 2;
}

void prof_resident_add(struct prof_resident *self, uint64_t now_ns, uint64_t bytes) {
  if (self->count == PROF_RESIDENT_MAX)
    thin_out(self);
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows))
    return; /* one point less on a curve */
  self->rows[self->count++] = (struct prof_resident_row){now_ns, bytes};
  self->last_ns = now_ns;
}

void prof_resident_look(struct prof_resident *self, uint64_t now_ns) {
  char text[128];
  if (!self->every_ns || self->file < 0 || now_ns - self->last_ns < self->every_ns)
    return;
  ssize_t length = pread(self->file, text, sizeof text - 1, 0);
  if (length <= 0)
    return;
  text[length] = 0;
  char *resident = strchr(text, ' '); /* size, resident, ... in pages (fs/proc/array.c) */
  if (resident)
    prof_resident_add(self, now_ns, strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE));
}
