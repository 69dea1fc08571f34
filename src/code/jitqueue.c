#include "code/jitqueue.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 256 * 1024, SPARES = 4 };

struct prof_jitqueue_chunk {
  struct prof_jitqueue_chunk *next; /* newer */
  size_t read, written;             /* bytes of data */
  _Alignas(8) unsigned char data[];
};

enum { DATA_BYTES = CHUNK_BYTES - sizeof(struct prof_jitqueue_chunk) };

static size_t record_bytes(size_t name_bytes) {
  return (sizeof(struct prof_jit_record) + name_bytes + 7) & ~(size_t)7;
}

void prof_jitqueue_init(struct prof_jitqueue *self, size_t limit_bytes) {
  *self = (struct prof_jitqueue){.limit_bytes = limit_bytes};
}

static void free_list(struct prof_jitqueue_chunk *chunk) {
  while (chunk) {
    struct prof_jitqueue_chunk *next = chunk->next;
    free(chunk);
    chunk = next;
  }
}

void prof_jitqueue_free(struct prof_jitqueue *self) {
  free_list(self->oldest);
  free_list(self->spare);
  prof_jitqueue_init(self, self->limit_bytes);
}

static struct prof_jitqueue_chunk *add_chunk(struct prof_jitqueue *self) {
  struct prof_jitqueue_chunk *chunk = self->spare;
  if (self->queued_bytes + CHUNK_BYTES > self->limit_bytes)
    return NULL;
  if (chunk) {
    self->spare = chunk->next;
    self->spare_count--;
  } else if (!(chunk = malloc(CHUNK_BYTES))) {
    return NULL;
  }
  chunk->next = NULL;
  chunk->read = chunk->written = 0;
  *(self->newest ? &self->newest->next : &self->oldest) = chunk;
  self->newest = chunk;
  self->queued_bytes += CHUNK_BYTES;
  if (self->queued_bytes > self->peak_bytes)
    self->peak_bytes = self->queued_bytes;
  return chunk;
}

bool prof_jitqueue_push(struct prof_jitqueue *self, const struct prof_jit_record *record,
                        const char *name, size_t name_bytes) {
  struct prof_jitqueue_chunk *chunk = self->newest;
  struct prof_jit_record *copy;
  size_t bytes;
  if (name_bytes > PROF_JIT_NAME_BYTES)
    name_bytes = PROF_JIT_NAME_BYTES;
  bytes = record_bytes(name_bytes);
  if ((!chunk || DATA_BYTES - chunk->written < bytes) && !(chunk = add_chunk(self)))
    return false;
  copy = (struct prof_jit_record *)(void *)(chunk->data + chunk->written);
  *copy = *record; /* without the flexible name */
  copy->name_bytes = (uint16_t)name_bytes;
  if (name_bytes)
    memcpy(copy->name, name, name_bytes);
  chunk->written += bytes;
  return true;
}

const struct prof_jit_record *prof_jitqueue_peek(const struct prof_jitqueue *self) {
  const struct prof_jitqueue_chunk *chunk = self->oldest;
  /* only the newest chunk can be read to its end: pop takes the others out */
  if (!chunk || chunk->read == chunk->written)
    return NULL;
  return (const struct prof_jit_record *)(const void *)(chunk->data + chunk->read);
}

void prof_jitqueue_pop(struct prof_jitqueue *self) {
  const struct prof_jit_record *record = prof_jitqueue_peek(self);
  struct prof_jitqueue_chunk *chunk = self->oldest;
  if (!record)
    return;
  chunk->read += record_bytes(record->name_bytes);
  if (chunk->read < chunk->written)
    return;
  if (!chunk->next) { /* empty, and the one being written: from its start again */
    chunk->read = chunk->written = 0;
    return;
  }
  self->oldest = chunk->next;
  self->queued_bytes -= CHUNK_BYTES;
  if (self->spare_count == SPARES) {
    free(chunk);
    return;
  }
  chunk->next = self->spare;
  self->spare = chunk;
  self->spare_count++;
}
