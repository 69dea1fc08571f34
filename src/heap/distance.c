#include "heap/distance.h"

#define LN2 0.69314718055994530942

/* xorshift64* (Marsaglia 2003, Vigna 2016). */
uint64_t prof_distance_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545f4914f6cdd1du;
}

double prof_distance_exponential(uint64_t random) {
  if (random == UINT64_MAX)
    return 0;
  uint64_t number = random + 1; /* 1 .. 2^64 - 1 */
  int zeros = __builtin_clzll(number);
  /* number = 2^(63 - zeros) * m with m in [1, 2); ln m = 2 atanh((m - 1) / (m + 1)). */
  double m = (double)(number << zeros) * 0x1p-63;
  double s = (m - 1) / (m + 1), square = s * s;
  double series =
      1 + square * (1. / 3 +
                    square * (1. / 5 + square * (1. / 7 + square * (1. / 9 + square * (1. / 11)))));
  return (zeros + 1) * LN2 - 2 * s * series;
}

int64_t prof_distance_draw(uint64_t *state, uint64_t mean_bytes) {
  double distance = prof_distance_exponential(prof_distance_random(state)) * (double)mean_bytes;
  return 1 + (int64_t)distance;
}
