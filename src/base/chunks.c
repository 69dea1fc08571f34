#include "base/chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"

#define MAGIC 0x316a7072u      /* "rpj1" */
#define POLYNOMIAL 0xedb88320u /* IEEE 802.3, reflected */

/* By bytes, with a table made at each call: 2,000 steps against the payload's thousands. */
uint32_t prof_crc32(uint32_t crc, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  uint32_t table[256];
  for (uint32_t i = 0; i < 256; i++) {
    table[i] = i;
    for (int bit = 0; bit < 8; bit++)
      table[i] = table[i] >> 1 ^ (table[i] & 1 ? POLYNOMIAL : 0);
  }
  crc = ~crc;
  for (size_t i = 0; i < size; i++)
    crc = crc >> 8 ^ table[(crc ^ at[i]) & 255];
  return ~crc;
}

struct prof_chunk_head prof_chunk_head(uint32_t number, const void *payload, size_t bytes) {
  struct prof_chunk_head head = {.magic = MAGIC, .bytes = (uint32_t)bytes, .number = number};
  head.crc = prof_crc32(0, &head.bytes, sizeof head.bytes + sizeof head.number);
  head.crc = prof_crc32(head.crc, payload, bytes);
  return head;
}

static bool read_at(int fd, void *into, size_t size, uint64_t at) {
  unsigned char *bytes = into;
  while (size) {
    ssize_t got = pread(fd, bytes, size, (off_t)at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    bytes += got;
    at += (uint64_t)got;
    size -= (size_t)got;
  }
  return true;
}

/* Memory is taken as the file proves to be that long: a bad length must not cost gigabytes. */
static bool read_payload(struct prof_chunks *self, size_t bytes) {
  enum { STEP_BYTES = 1 << 20 };
  uint64_t at = self->at + sizeof(struct prof_chunk_head);
  for (size_t have = 0; have < bytes;) {
    size_t step = bytes - have < STEP_BYTES ? bytes - have : STEP_BYTES;
    if (prof_array_reserve((void **)&self->payload, &self->capacity, have + step, 1) ||
        !read_at(self->fd, self->payload + have, step, at + have))
      return false;
    have += step;
  }
  return true;
}

const unsigned char *prof_chunks_next(struct prof_chunks *self, size_t *bytes) {
  struct prof_chunk_head head, right;
  char byte;
  if (self->is_cut || !read_at(self->fd, &byte, 1, self->at))
    return NULL;
  self->is_cut = true;
  if (!read_at(self->fd, &head, sizeof head, self->at) || head.magic != MAGIC || !head.bytes ||
      head.bytes > PROF_CHUNK_BYTES_MAX || head.number != self->number ||
      !read_payload(self, head.bytes))
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
