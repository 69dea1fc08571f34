/* heap_fixture: a library whose slots for malloc and its kin are turned: known pieces, by function.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default"), noinline))

/* Bytes that were asked for, freed at once. */
EXPORT uint64_t fixture_churn(uint32_t count, size_t bytes) {
  for (uint32_t i = 0; i < count; i++) {
    volatile char *piece = malloc(bytes);
    if (!piece)
      return 0;
    piece[0] = 1;
    free((void *)piece);
  }
  return count * (uint64_t)bytes;
}

/* The same, kept in a list whose head stands in *list. */
EXPORT uint64_t fixture_keep(void **list, uint32_t count, size_t bytes) {
  for (uint32_t i = 0; i < count; i++) {
    void **piece = malloc(bytes);
    if (!piece)
      return 0;
    *piece = *list;
    *list = piece;
  }
  return count * (uint64_t)bytes;
}

EXPORT void fixture_free_list(void **list) {
  while (*list) {
    void **piece = *list;
    *list = *piece;
    free(piece);
  }
}

/* Each way to allocate once, and what it came to; all is freed. */
EXPORT uint64_t fixture_each_kind(size_t bytes) {
  void *pieces[6] = {0};
  pieces[0] = calloc(2, bytes / 2);
  pieces[1] = realloc(NULL, bytes);
  pieces[2] = aligned_alloc(64, bytes);
  pieces[3] = memalign(64, bytes);
  if (posix_memalign(&pieces[4], 4096, bytes))
    return 0;
  pieces[5] = reallocarray(NULL, 2, bytes / 2);
  for (int i = 0; i < 6; i++) {
    if (!pieces[i])
      return 0;
    memset(pieces[i], 1, bytes);
  }
  pieces[1] = realloc(pieces[1], 2 * bytes);
  for (int i = 0; i < 6; i++)
    free(pieces[i]);
  return 8 * (uint64_t)bytes;
}

/* Threads that allocate, hand to each other, free, grow and check what they wrote. */
struct fixture_crowd {
  _Atomic(unsigned char *) shelf[64];
  _Atomic uint32_t stop;
  _Atomic uint64_t rounds, wrong;
  pthread_t threads[8];
};

static void *work(void *user) {
  struct fixture_crowd *crowd = user;
  unsigned seed = (unsigned)(uintptr_t)&seed;
  while (!atomic_load(&crowd->stop)) {
    unsigned r = rand_r(&seed);
    size_t bytes = 16 + r % 4000;
    unsigned char *piece = r & 1 ? malloc(bytes) : calloc(1, bytes);
    if (r % 7 == 0)
      piece = realloc(piece, bytes += 100);
    memset(piece, (unsigned char)bytes, bytes);
    memcpy(piece, &bytes, sizeof bytes);
    unsigned char *other = atomic_exchange(&crowd->shelf[r % 64], piece);
    if (other) {
      size_t had;
      memcpy(&had, other, sizeof had);
      if (other[had - 1] != (unsigned char)had || other[sizeof had] != (unsigned char)had)
        atomic_fetch_add(&crowd->wrong, 1);
      free(other);
    }
    atomic_fetch_add_explicit(&crowd->rounds, 1, memory_order_relaxed);
  }
  return NULL;
}

EXPORT struct fixture_crowd *fixture_crowd_start(void) {
  struct fixture_crowd *crowd = calloc(1, sizeof *crowd);
  for (int i = 0; crowd && i < 8; i++)
    pthread_create(&crowd->threads[i], NULL, work, crowd);
  return crowd;
}

/* Rounds that were made; UINT64_MAX: something was not as it was written. */
EXPORT uint64_t fixture_crowd_stop(struct fixture_crowd *crowd) {
  atomic_store(&crowd->stop, 1);
  for (int i = 0; i < 8; i++)
    pthread_join(crowd->threads[i], NULL);
  for (int i = 0; i < 64; i++)
    free(atomic_load(&crowd->shelf[i]));
  uint64_t rounds = atomic_load(&crowd->wrong) ? UINT64_MAX : atomic_load(&crowd->rounds);
  free(crowd);
  return rounds;
}
