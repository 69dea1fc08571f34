/* A perf-map that grows piece by piece: the first byte says how large the pieces are. */
#include "fuzz.h"

#include "code/perfmap.h"
#include "code/v8name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct prof_perfmap map;
  if (size < 1)
    return 0;
  size_t piece = data[0] + 1u;
  struct prof_arena names, parsed;
  prof_arena_init(&names, 0);
  prof_arena_init(&parsed, 0);
  struct prof_space *space = prof_space_create();
  memset(&map, 0, sizeof map);
  map.fd = -1;
  for (size_t at = 1; at < size; at += piece) {
    size_t length = size - at < piece ? size - at : piece;
    char *bytes = fuzz_copy(data + at, length);
    prof_perfmap_feed(&map, bytes, length, space, &names);
    free(bytes);
  }
  for (uint32_t id = 0; id < prof_space_count(space); id++) {
    const struct prof_code *code = prof_space_code(space, id);
    struct prof_v8name name;
    if (code && code->name &&
        prof_v8name_parse(code->name, strlen(code->name), code->kind, &parsed, &name) == 0)
      fuzz_use_text(name.name);
  }
  prof_space_free(space);
  prof_arena_free(&names);
  prof_arena_free(&parsed);
  return 0;
}
