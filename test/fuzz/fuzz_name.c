/* Linker names and V8's names. The first byte is the kind that V8 reported. */
#include "fuzz.h"

#include "code/crate.h"
#include "code/demangle.h"
#include "code/space.h"
#include "code/v8name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char readable[8192];
  char crate[PROF_CRATE_TEXT];
  if (size < 1)
    return 0;
  char *text = malloc(size);
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  struct prof_arena arena;
  prof_arena_init(&arena, 0);
  struct prof_v8name name;
  char *exact = fuzz_copy(data + 1, size - 1); /* V8's names have no NUL */
  if (prof_v8name_parse(exact, size - 1, data[0] % (PROF_CODE_UNKNOWN + 1), &arena, &name) == 0) {
    fuzz_use_text(name.symbol);
    fuzz_use_text(name.name);
    fuzz_use_text(name.file);
  }
  uint8_t kind, tier;
  prof_v8name_classify(exact, size - 1, data[0] % 3, &kind, &tier);
  enum prof_language language;
  prof_demangle(text, readable, sizeof readable, &language);
  if (prof_crate_find(text, readable, crate))
    fuzz_use_text(crate);
  fuzz_use(prof_demangle_base_length(text));
  prof_arena_free(&arena);
  free(exact);
  free(text);
  return 0;
}
