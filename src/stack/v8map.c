#include "stack/v8map.h"

#include <string.h>

#include "code/bytecode.h"
#include "code/jit.h"

void prof_v8map_fill(struct prof_v8_map *self, const struct prof_jit_map *from,
                     const struct prof_bytecode_layout *layout) {
  uint32_t most = sizeof self->interpreter / sizeof self->interpreter[0];
  memset(self, 0, sizeof *self); /* maps are compared byte by byte */
  /* Copies of the builtins lie in no ELF image: frame pointers are the rule there anyway. */
  self->blob_start = from->blob.start;
  self->blob_end = from->blob.end;
  self->interpreter_count = from->interpreter_count < most ? from->interpreter_count : most;
  for (uint32_t i = 0; i < self->interpreter_count; i++) {
    self->interpreter[i].start = from->interpreter[i].start;
    self->interpreter[i].end = from->interpreter[i].end;
  }
  self->bytecode_slot = layout->slot;
  self->has_bytecode = layout->slot != 0;
  self->function = layout->function;
}
