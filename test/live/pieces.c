/* A library that allocates, as a program's own: its slots for malloc and its kin are turned where
 * allocations are sampled. Pieces go from thread to thread by a shelf, and are what they were. */
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SHELF = 256, BYTES_MAX = 6000 };

struct piece {
  size_t bytes; /* behind the head, each of them (unsigned char)bytes */
  unsigned char filled[];
};

static _Atomic(struct piece *) shelf[SHELF];

static struct piece *make(unsigned seed, size_t bytes) {
  struct piece *piece = NULL;
  switch (seed % 4) {
  case 0:
    piece = malloc(sizeof *piece + bytes);
    break;
  case 1:
    piece = calloc(1, sizeof *piece + bytes);
    break;
  case 2:
    if (posix_memalign((void **)&piece, 64, sizeof *piece + bytes))
      piece = NULL;
    break;
  default:
    piece = memalign(128, sizeof *piece + bytes);
  }
  return piece;
}

/* 0, or the line of what went wrong. */
static int put(unsigned seed) {
  size_t bytes = 1 + seed % BYTES_MAX;
  struct piece *piece = make(seed >> 3, bytes), *grown, *other;
  if (!piece)
    return __LINE__;
  if (seed % 5 == 0) {
    grown = realloc(piece, sizeof *piece + (bytes += 100));
    if (!grown)
      return __LINE__;
    piece = grown;
  }
  piece->bytes = bytes;
  memset(piece->filled, (unsigned char)bytes, bytes);
  other = atomic_exchange(&shelf[seed % SHELF], piece);
  if (!other)
    return 0;
  for (size_t i = 0; i < other->bytes; i++)
    if (other->filled[i] != (unsigned char)other->bytes)
      return __LINE__;
  free(other);
  return 0;
}

int stress_pieces(unsigned *seed);
int stress_pieces(unsigned *seed) {
  for (int i = 0; i < 100; i++) {
    int line = put(*seed = *seed * 1103515245u + 12345u);
    if (line)
      return line;
  }
  return 0;
}
