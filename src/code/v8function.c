#include "code/v8function.h"

enum { FUNCTION_WORDS = 8, SHARED_WORDS = 5 }; /* looked through, the map first */

/* The field of an object, if that is a pointer to an object too. */
static bool follow(prof_v8function_read *read, uint64_t object, unsigned at, uint64_t *out) {
  return read(object - 1 + at, out) && prof_v8function_is_object(*out);
}

bool prof_v8function_calibrate(const uint64_t *fp, uint64_t bytecode, prof_v8function_read *read,
                               struct prof_v8function_layout *out) {
  uint64_t function, map, shared, data;
  *out = (struct prof_v8function_layout){0};
  if (!prof_v8function_is_object(bytecode) || !follow(read, bytecode, 0, &map) ||
      !read((uintptr_t)(fp + PROF_V8FUNCTION_SLOT), &function) ||
      !prof_v8function_is_object(function))
    return false;
  for (unsigned i = 1; i < FUNCTION_WORDS; i++) {
    if (!follow(read, function, 8 * i, &shared))
      continue;
    for (unsigned k = 1; k < SHARED_WORDS; k++) {
      if (!follow(read, shared, 8 * k, &data) || data != bytecode)
        continue;
      *out = (struct prof_v8function_layout){
          .bytecode_map = map, .shared_at = (uint8_t)(8 * i), .data_at = (uint8_t)(8 * k)};
      return true;
    }
  }
  return false;
}

bool prof_v8function_bytecode(const struct prof_v8function_layout *self, uint64_t fp,
                              prof_v8function_read *read, uint64_t *out) {
  uint64_t function, shared, data, map;
  if (!self->bytecode_map || !read(fp + (uint64_t)(8 * PROF_V8FUNCTION_SLOT), &function) ||
      !prof_v8function_is_object(function) || !follow(read, function, self->shared_at, &shared) ||
      !follow(read, shared, self->data_at, &data) || !follow(read, data, 0, &map))
    return false;
  *out = data;
  for (unsigned i = 1; map != self->bytecode_map; i++) {
    if (i == PROF_V8FUNCTION_DATA_WORDS)
      return false;
    if (!follow(read, data, 8 * i, out) || !follow(read, *out, 0, &map))
      map = 0;
  }
  return true;
}
