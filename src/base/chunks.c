#include "base/chunks.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/crc32.h"
#include "base/file.h"

#define MAGIC 0x316a7072u /* "rpj1" */

struct prof_chunk_head prof_chunk_head(uint32_t number, const void *payload, size_t bytes) {
  struct prof_chunk_head head = {.magic = MAGIC, .bytes = (uint32_t)bytes, .number = number};
  head.crc = prof_crc32(0, &head.bytes, sizeof head.bytes + sizeof head.number);
  head.crc = prof_crc32(head.crc, payload, bytes);
  return head;
}

/* Memory is taken as the file proves to be that long: a bad length must not cost gigabytes. */
static bool read_payload(struct prof_chunks *self, size_t bytes) {
  enum { STEP_BYTES = 1 << 20 };
  uint64_t at = self->at + sizeof(struct prof_chunk_head);
  for (size_t have = 0; have < bytes;) {
    size_t step = bytes - have < STEP_BYTES ? bytes - have : STEP_BYTES;
    if (prof_array_reserve((void **)&self->payload, &self->capacity, have + step, 1) ||
        prof_file_read_at(self->fd, self->payload + have, step, at + have) != step)
      return false;
    have += step;
  }
  return true;
}

const unsigned char *prof_chunks_next(struct prof_chunks *self, size_t *bytes) {
  struct prof_chunk_head head, right;
  char byte;
  if (self->is_cut || prof_file_read_at(self->fd, &byte, 1, self->at) != 1)
    return NULL;
  self->is_cut = true;
  if (prof_file_read_at(self->fd, &head, sizeof head, self->at) != sizeof head ||
      head.magic != MAGIC || !head.bytes || head.bytes > PROF_CHUNK_BYTES_MAX ||
      head.number != self->number || !read_payload(self, head.bytes))
    return NULL;
  right = prof_chunk_head(head.number, self->payload, head.bytes);
  if (right.crc != head.crc)
    return NULL;
  self->is_cut = false;
  self->number++;
  self->at += sizeof head + head.bytes;
  *bytes = head.bytes;
  return self->payload;
}

void prof_chunks_free(struct prof_chunks *self) {
  free(self->payload);
  self->payload = NULL;
}
