/*
 * array: the one way our growable arrays grow.
 *
 *   struct { struct row *rows; size_t count, capacity; } t;
 *   if (prof_array_reserve((void **)&t.rows, &t.capacity, t.count + 1, sizeof *t.rows)) ..
 *
 * Doubles, so appending is constant on average. Refuses sizes that overflow. On failure (-1) the
 * array is as it was.
 */
#ifndef RSPACK_PROF_BASE_ARRAY_H
#define RSPACK_PROF_BASE_ARRAY_H

#include <stddef.h>

int prof_array_reserve(void **data, size_t *capacity, size_t wanted, size_t element_bytes);

#endif
