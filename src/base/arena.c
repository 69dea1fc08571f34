#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, BLOCK_BYTES = 256 * 1024 };

struct prof_arena_block {
  struct prof_arena_block *next;
  size_t size_bytes; /* of data */
  _Alignas(ALIGNMENT) unsigned char data[];
};

void prof_arena_init(struct prof_arena *self, size_t limit_bytes) {
  *self = (struct prof_arena){.limit_bytes = limit_bytes};
}

void prof_arena_free(struct prof_arena *self) {
  struct prof_arena_block *block = self->blocks;
  while (block) {
    struct prof_arena_block *next = block->next;
    free(block);
    block = next;
  }
  prof_arena_init(self, self->limit_bytes);
}

void *prof_arena_alloc(struct prof_arena *self, size_t size) {
  if (size > (size_t)-1 - 2 * ALIGNMENT)
    return NULL;
  size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (!self->blocks || self->blocks->size_bytes - self->used_bytes < size) {
    size_t data_bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    size_t block_bytes = sizeof(struct prof_arena_block) + data_bytes;
    struct prof_arena_block *block;
    if (block_bytes < data_bytes)
      return NULL;
    if (self->limit_bytes && self->total_bytes + block_bytes > self->limit_bytes)
      return NULL;
    block = malloc(block_bytes);
    if (!block)
      return NULL;
    block->next = self->blocks;
    block->size_bytes = data_bytes;
    self->blocks = block;
    self->used_bytes = 0;
    self->total_bytes += block_bytes;
  }
  void *piece = self->blocks->data + self->used_bytes;
  self->used_bytes += size;
  return piece;
}

char *prof_arena_copy_text(struct prof_arena *self, const char *text, size_t length) {
  char *copy = length == (size_t)-1 ? NULL : prof_arena_alloc(self, length + 1);
  if (copy) {
    if (length)
      memcpy(copy, text, length);
    copy[length] = '\0';
  }
  return copy;
}
