#include "base/chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

#define MAGIC 0x316a7072u      /* "rpj1" */
#define POLYNOMIAL 0xedb88320u /* IEEE 802.3, reflected */

enum { LANES = 8 };

/* lanes[n][b]: what the byte b does to the sum when n more bytes follow it. */
static void fill_lanes(uint32_t lanes[LANES][256]) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t sum = i;
    for (int bit = 0; bit < 8; bit++)
      sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
    lanes[0][i] = sum;
  }
  for (int lane = 1; lane < LANES; lane++)
    for (int i = 0; i < 256; i++)
      lanes[lane][i] = lanes[lane - 1][i] >> 8 ^ lanes[0][lanes[lane - 1][i] & 255];
}

/* Eight bytes a step (Kounavis and Berry 2005, "A Systematic Approach to Building High Performance
 * Software-based CRC Generators"): one look-up does not wait for the other. The tables are made at
 * each call, 4,000 steps against the payload's hundreds of thousands of bytes. Little-endian. */
uint32_t prof_crc32(uint32_t crc, const void *bytes, size_t size) {
  const unsigned char *at = bytes, *end = at + size;
  uint32_t lanes[LANES][256];
  fill_lanes(lanes);
  crc = ~crc;
  for (; end - at >= LANES; at += LANES) {
    uint32_t low, high;
    memcpy(&low, at, sizeof low);
    memcpy(&high, at + sizeof low, sizeof high);
    low ^= crc;
    crc = lanes[7][low & 255] ^ lanes[6][low >> 8 & 255] ^ lanes[5][low >> 16 & 255] ^
          lanes[4][low >> 24] ^ lanes[3][high & 255] ^ lanes[2][high >> 8 & 255] ^
          lanes[1][high >> 16 & 255] ^ lanes[0][high >> 24];
  }
  for (; at < end; at++)
    crc = crc >> 8 ^ lanes[0][(crc ^ *at) & 255];
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
