/* A hostile .node file: headers, notes, symbols, and the starts of its functions. */
#include "fuzz.h"

#include "code/demangle.h"
#include "code/image.h"
#include "code/starts.h"
#include "code/symtab.h"

enum { NAMES = 64 };

static void use_symbols(struct prof_symtab *table) {
  static char name[PROF_SYMBOL_NAME_MAX], readable[4096];
  for (size_t i = 0; i < table->count && i < NAMES; i++) {
    uint64_t address = table->base + table->rows[i].start;
    int64_t row = prof_symtab_find(table, address);
    if (row < 0 || (size_t)row >= table->count)
      abort(); /* a row that its own address does not find */
    if (prof_symtab_name(table, (size_t)row, name, sizeof name) > 0)
      fuzz_use(prof_demangle(name, readable, sizeof readable, NULL));
  }
  prof_symtab_find(table, 0);
  prof_symtab_find(table, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[32], id[PROF_BUILD_ID_TEXT];
  int fd = fuzz_file(data, size, path);
  struct prof_image image;
  if (prof_image_open_file(&image, path) == 0) {
    prof_image_build_id(&image, id);
    prof_image_content_id(&image, id);
    struct prof_symtab table;
    if (prof_symtab_load(&table, &image, NULL) == 0) {
      use_symbols(&table);
      prof_symtab_free(&table);
    }
  }
  if (prof_image_open_file(&image, path) == 0) {
    struct prof_starts *starts = prof_starts_open(&image);
    uint64_t start;
    if (starts) {
      for (uint64_t address = 0; address < 1 << 16; address += 1021)
        if (prof_starts_find(starts, address, &start) && start > address)
          abort();
      prof_starts_close(starts);
    }
  }
  close(fd);
  return 0;
}
