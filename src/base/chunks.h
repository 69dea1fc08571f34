/*
 * chunks: a file of checked pieces, each with a head: magic, length, number, CRC-32 of the rest. A
 * file that was cut (its writer was killed) or has a bad piece is read up to there.
 *
 * Layout, little-endian: u32 magic "rpj1", u32 bytes of payload, u32 number from 0 on, u32 CRC-32
 * (IEEE 802.3) of length, number and payload; then the payload. Pure but for the reading. Refuses:
 * payloads above PROF_CHUNK_BYTES_MAX.
 */
#ifndef RSPACK_PROF_BASE_CHUNKS_H
#define RSPACK_PROF_BASE_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROF_CHUNK_BYTES_MAX (512u << 20)

struct prof_chunk_head {
  uint32_t magic, bytes, number, crc;
};

/* The head of a payload. */
struct prof_chunk_head prof_chunk_head(uint32_t number, const void *payload, size_t bytes);

struct prof_chunks {
  int fd; /* the caller's */
  uint32_t number;
  uint64_t at;            /* bytes that were read and are right */
  bool is_cut;            /* what follows is no whole chunk */
  unsigned char *payload; /* of the last next */
  size_t capacity;
};

/* The next payload and its size; NULL at the end, or where the rest is cut or bad. */
const unsigned char *prof_chunks_next(struct prof_chunks *self, size_t *bytes);
void prof_chunks_free(struct prof_chunks *self);

#endif
