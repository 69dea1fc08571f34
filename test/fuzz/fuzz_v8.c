/* V8's heap as it never is, and /proc/self/maps of a stranger. Input: layout (2 bytes), then words
 * of a heap at 0x10000; the same bytes as a text of mappings. */
#include "fuzz.h"

#include "code/v8blob.h"
#include "code/v8function.h"

enum { HEAP = 0x10000, HEAD = 2, COPIES = 8 };

static const uint8_t *heap;
static size_t heap_bytes;

static bool read_word(uint64_t address, uint64_t *out) {
  if (address < HEAP || heap_bytes < sizeof *out || address - HEAP > heap_bytes - sizeof *out)
    return false;
  memcpy(out, heap + (address - HEAP), sizeof *out);
  return true;
}

/* What is believed to be a bytecode array has the map of one. */
static void check(const struct prof_v8function_layout *layout, uint64_t fp) {
  uint64_t found, map;
  if (prof_v8function_bytecode(layout, fp, read_word, &found) &&
      (!prof_v8function_is_object(found) || !read_word(found - 1, &map) ||
       map != layout->bytecode_map))
    abort();
}

static void read_heap(const uint8_t *data) {
  struct prof_v8function_layout layout = {.shared_at = data[0], .data_at = data[1]}, found;
  uint64_t bytecode = 0;
  if (!read_word(HEAP, &layout.bytecode_map))
    return;
  for (uint64_t fp = HEAP; fp < HEAP + heap_bytes; fp += 8) {
    check(&layout, fp);
    if (read_word(fp, &bytecode) &&
        prof_v8function_calibrate((const uint64_t *)(uintptr_t)fp, bytecode, read_word, &found))
      check(&found, fp); /* the frame that taught it is one that it can read */
  }
}

static void read_maps(const uint8_t *data, size_t size) {
  struct prof_v8blob_image image = {.start = 0x400000, .end = 0x4000000, .anchor = 0x1000000};
  struct prof_v8blob_copy copies[COPIES];
  char *text = malloc(size + 1);
  if (!text)
    abort();
  memcpy(text, data, size);
  text[size] = '\0';
  size_t count = prof_v8blob_copies(text, &image, copies, COPIES);
  if (count > COPIES)
    abort();
  for (size_t i = 0; i < count; i++)
    if (copies[i].start >= copies[i].end)
      abort();
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < HEAD || size > 1 << 16)
    return 0;
  uint8_t *copy = fuzz_copy(data + HEAD, size - HEAD);
  heap = copy;
  heap_bytes = size - HEAD;
  read_heap(data);
  read_maps(data + HEAD, size - HEAD);
  free(copy);
  return 0;
}
