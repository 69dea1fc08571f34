#include "base/array.h"

#include <stdlib.h>

int prof_array_reserve(void **data, size_t *capacity, size_t wanted, size_t element_bytes) {
  size_t grown = *capacity ? *capacity : 16;
  void *moved;
  if (wanted <= *capacity)
    return 0;
  while (grown < wanted) {
    if (grown > (size_t)-1 / 2)
      return -1;
    grown *= 2;
  }
  if (grown > (size_t)-1 / element_bytes)
    return -1;
  moved = realloc(*data, grown * element_bytes);
  if (!moved)
    return -1;
  *data = moved;
  *capacity = grown;
  return 0;
}
