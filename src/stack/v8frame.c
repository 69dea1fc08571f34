#include "stack/v8frame.h"

#include "stack/probe.h"

bool prof_v8_in_interpreter(const struct prof_v8_map *map, uint64_t pc) {
  for (uint32_t i = 0; i < map->interpreter_count; i++)
    if (pc - map->interpreter[i].start < map->interpreter[i].end - map->interpreter[i].start)
      return true;
  return false;
}

bool prof_v8_is_unlisted(const struct prof_v8_map *map, uint64_t pc) {
  uint32_t low = 0, high = map->unlisted_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (pc < map->unlisted[middle].start)
      high = middle;
    else if (pc >= map->unlisted[middle].end)
      low = middle + 1;
    else
      return true;
  }
  return false;
}

/* V8's heap is no stack: read past the windows of struct prof_memory, which would lose theirs. A
 * page of it may be given back by another of V8's threads at any moment. */
static bool read_heap(uint64_t address, uint64_t *out) {
  return !(address & 7) && prof_probe_fetch(address, (uint8_t *)out, sizeof *out);
}

bool prof_v8_function_of(const struct prof_v8_map *map, uint64_t fp, uint64_t *bytecode) {
  return prof_v8function_bytecode(&map->function, fp, read_heap, bytecode);
}
