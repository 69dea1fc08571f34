#include "session/filecode.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

enum { NOT_YET = -1, REFUSED = -2 };

void prof_filecode_map(struct prof_filecode *self, const char *path, uint64_t start,
                       uint64_t length, uint64_t offset) {
  if (self->count == PROF_FILECODE_MAX || prof_array_reserve((void **)&self->rows, &self->capacity,
                                                             self->count + 1, sizeof *self->rows))
    return;
  self->rows[self->count++] = (struct prof_filecode_row){
      .start = start, .end = start + length, .offset = offset, .path = path, .fd = NOT_YET};
}

bool prof_filecode_read(void *user, uint64_t address, uint8_t *out, unsigned count) {
  struct prof_filecode *self = user;
  for (size_t i = self->count; i-- > 0;) {
    struct prof_filecode_row *row = &self->rows[i];
    if (address < row->start || address >= row->end)
      continue;
    if (row->fd == NOT_YET)
      row->fd = open(row->path, O_RDONLY | O_CLOEXEC);
    if (row->fd < 0)
      row->fd = REFUSED;
    return row->fd >= 0 && row->end - address >= count &&
           pread(row->fd, out, count, (off_t)(row->offset + (address - row->start))) ==
               (ssize_t)count;
  }
  return false;
}

void prof_filecode_free(struct prof_filecode *self) {
  for (size_t i = 0; i < self->count; i++)
    if (self->rows[i].fd >= 0)
      close(self->rows[i].fd);
  free(self->rows);
  memset(self, 0, sizeof *self);
}
