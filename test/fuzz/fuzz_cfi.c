/* .eh_frame and its table. Input: size of the table (2 bytes), the table, the frame section. */
#include "fuzz.h"

#include "stack/cfi.h"
#include "stack/expr.h"
#include "stack/rows.h"

enum { HDR = 0x400000, FRAME = 0x410000, PCS = 64 };

static void evaluate(const struct prof_cfi_image *image, int32_t offset) {
  uint32_t length;
  const uint8_t *bytes = prof_cfi_expression(image, offset, &length);
  struct prof_regs regs = {.valid = 0x1ffff};
  static const uint64_t stack[8] = {0x7000, 1, 2};
  struct prof_memory memory;
  prof_memory_bytes(&memory, 0x7000, stack, sizeof stack);
  uint64_t value;
  if (bytes && prof_expr_evaluate(bytes, length, &regs, &memory, NULL, &value))
    fuzz_use(value);
}

static void compile(const struct prof_cfi_image *image, uint64_t pc) {
  struct prof_cfi_row row;
  if (prof_cfi_compile(image, pc, &row) != PROF_CFI_OK)
    return;
  if (pc < row.start || pc >= row.end)
    abort(); /* a row that is kept for other pcs */
  if (row.cfa_is_expression)
    evaluate(image, row.cfa_value);
  for (int slot = 0; slot < PROF_CFI_SLOTS; slot++)
    if (row.rule[slot] == PROF_CFI_EXPRESSION || row.rule[slot] == PROF_CFI_VAL_EXPRESSION)
      evaluate(image, row.value[slot]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  size_t hdr_size = data[0] | (size_t)data[1] << 8;
  data += 2, size -= 2;
  if (hdr_size > size)
    hdr_size = size;
  uint8_t *hdr = fuzz_copy(data, hdr_size);
  uint8_t *frame = fuzz_copy(data + hdr_size, size - hdr_size);
  struct prof_cfi_image image = {.hdr = {hdr, hdr_size, HDR},
                                 .frame = {frame, size - hdr_size, FRAME}};
  uint32_t count = prof_cfi_count(&image);
  for (uint32_t i = 0; i < count && i < PCS; i++) {
    uint64_t first = prof_cfi_first_pc(&image, i);
    compile(&image, first);
    compile(&image, first + i);
    compile(&image, first + 0x20);
  }
  compile(&image, 0);
  compile(&image, UINT64_MAX);
  free(hdr);
  free(frame);
  return 0;
}
