/* stack/cfi and stack/expr: every opcode over synthetic bytes, and broken bytes. Real files:
 * test_cfi_libdw.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/cfi.h"
#include "stack/expr.h"
#include "stack/rows.h"

/* x86_64's slots that have no other name. */
enum { SLOT_RBX = 0, SLOT_R12 = 3, SLOT_R13, SLOT_R14, SLOT_R15 };

#define FUNCTION 0x500000u
#define HDR 0x400000u
#define FRAME 0x410000u

/* One CIE, one FDE for [FUNCTION, FUNCTION + 0x1000) with the given instructions, and its table. */
struct synthetic {
  uint8_t hdr[64], frame[1024];
  size_t frame_size;
  struct prof_cfi_image image;
};

static uint8_t *put32(uint8_t *at, uint32_t value) {
  memcpy(at, &value, 4);
  return at + 4;
}

static void make(struct synthetic *self, const char *augmentation, const uint8_t *initial,
                 size_t initial_size, const uint8_t *code, size_t code_size) {
  uint8_t *at, *cie, *fde;
  bool has_z = augmentation[0] == 'z';
  memset(self, 0, sizeof *self);
  at = cie = self->frame;
  at = put32(at, 0);
  at = put32(at, 0);
  *at++ = 1;
  memcpy(at, augmentation, strlen(augmentation) + 1);
  at += strlen(augmentation) + 1;
  *at++ = 1;    /* code alignment */
  *at++ = 0x78; /* data alignment -8 */
  *at++ = 16;
  if (has_z) {
    *at++ = 1;
    *at++ = 0x1b; /* pcrel sdata4 */
  }
  memcpy(at, initial, initial_size);
  at += initial_size;
  put32(cie, (uint32_t)(at - cie - 4));
  fde = at;
  at = put32(at, 0);
  at = put32(at, (uint32_t)(at - cie));
  if (has_z) {
    at = put32(at, FUNCTION - (FRAME + (uint32_t)(at - self->frame)));
    at = put32(at, 0x1000);
    *at++ = 0;
  } else {
    uint64_t first = FUNCTION, size = 0x1000;
    memcpy(at, &first, 8);
    memcpy(at + 8, &size, 8);
    at += 16;
  }
  memcpy(at, code, code_size);
  at += code_size;
  put32(fde, (uint32_t)(at - fde - 4));
  self->frame_size = (size_t)(at - self->frame);
  at = self->hdr;
  memcpy(at, "\x01\x1b\x03\x3b", 4);
  at = put32(at + 4, FRAME - (HDR + 4));
  at = put32(at, 1);
  at = put32(at, FUNCTION - HDR);
  at = put32(at, FRAME + (uint32_t)(fde - self->frame) - HDR);
  self->image.hdr = (struct prof_cfi_section){self->hdr, (uint64_t)(at - self->hdr), HDR};
  self->image.frame = (struct prof_cfi_section){self->frame, self->frame_size, FRAME};
}

static const uint8_t usual[] = {0x0c, 7, 8, 0x90, 1}; /* CFA = rsp + 8; RA at CFA - 8 */

static struct prof_cfi_row compiled(struct synthetic *self, const uint8_t *code, size_t size,
                                    uint32_t at) {
  struct prof_cfi_row row;
  make(self, "zR", usual, sizeof usual, code, size);
  assert_int_equal(prof_cfi_compile(&self->image, FUNCTION + at, &row), PROF_CFI_OK);
  return row;
}
#define ROW_AT(at, ...)                                                                            \
  compiled(&s, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), at)

static void assert_refused(const uint8_t *code, size_t size) {
  struct synthetic s;
  struct prof_cfi_row row;
  make(&s, "zR", usual, sizeof usual, code, size);
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_BAD);
}
#define REFUSED(...)                                                                               \
  assert_refused((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void rows_begin_and_end_where_the_code_says(void **state) {
  struct synthetic s;
  struct prof_cfi_row row;
  (void)state;
  /* push rbp at 0, mov at 1, ret at 0x80 */
  const uint8_t code[] = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x02, 0x7c, 0x0c, 7, 8, 0xc6};
  row = compiled(&s, code, sizeof code, 0);
  assert_int_equal(row.start, FUNCTION);
  assert_int_equal(row.end, FUNCTION + 1);
  assert_int_equal(row.function_end, FUNCTION + 0x1000);
  assert_int_equal(row.cfa_register, 7);
  assert_int_equal(row.cfa_value, 8);
  assert_int_equal(row.rule[PROF_CFI_RA], PROF_CFI_OFFSET);
  assert_int_equal(row.value[PROF_CFI_RA], -8);
  row = compiled(&s, code, sizeof code, 1);
  assert_int_equal(row.end, FUNCTION + 4);
  assert_int_equal(row.cfa_value, 16);
  assert_int_equal(row.rule[PROF_CFI_FP], PROF_CFI_OFFSET);
  assert_int_equal(row.value[PROF_CFI_FP], -16);
  row = compiled(&s, code, sizeof code, 0x7f);
  assert_int_equal(row.start, FUNCTION + 4);
  assert_int_equal(row.end, FUNCTION + 0x80);
  assert_int_equal(row.cfa_register, 6);
  assert_int_equal(row.cfa_value, 16);
  row = compiled(&s, code, sizeof code, 0xfff);
  assert_int_equal(row.cfa_register, 7);
  assert_int_equal(row.rule[PROF_CFI_FP], PROF_CFI_SAME);
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION + 0x1000, &row), PROF_CFI_NONE);
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION - 1, &row), PROF_CFI_NONE);
}

static void every_opcode_does_what_dwarf_says(void **state) {
  struct synthetic s;
  struct prof_cfi_row row;
  (void)state;
  row = ROW_AT(0x200, 0x03, 0x00, 0x02, 0x0e, 24); /* advance_loc2 */
  assert_int_equal(row.start, FUNCTION + 0x200);
  assert_int_equal(row.cfa_value, 24);
  row = ROW_AT(0x1ff, 0x04, 0x00, 0x02, 0, 0, 0x0e, 24); /* advance_loc4 */
  assert_int_equal(row.end, FUNCTION + 0x200);
  assert_int_equal(row.cfa_value, 8);
  row = ROW_AT(0, 0x05, 3, 4); /* offset_extended */
  assert_int_equal(row.value[SLOT_RBX], -32);
  row = ROW_AT(0, 0x8f, 3, 0x06, 15); /* restore_extended: no rule at first */
  assert_int_equal(row.rule[SLOT_R15], PROF_CFI_SAME);
  row = ROW_AT(0, 0x07, 16); /* undefined: a thread's start */
  assert_int_equal(row.rule[PROF_CFI_RA], PROF_CFI_UNDEFINED);
  assert_int_equal(prof_row_pack(&s.image, &row), PROF_ROW_START);
  row = ROW_AT(0, 0x8c, 3, 0x08, 12); /* same_value */
  assert_int_equal(row.rule[SLOT_R12], PROF_CFI_SAME);
  row = ROW_AT(0, 0x09, 16, 10); /* register */
  assert_int_equal(row.rule[PROF_CFI_RA], PROF_CFI_REGISTER);
  assert_int_equal(row.value[PROF_CFI_RA], 10);
  row = ROW_AT(2, 0x0a, 0x0e, 64, 0x83, 5, 0x42, 0x0b, 0x8d, 3); /* remember, restore */
  assert_int_equal(row.cfa_value, 8);
  assert_int_equal(row.rule[SLOT_RBX], PROF_CFI_SAME);
  assert_int_equal(row.value[SLOT_R13], -24);
  row = ROW_AT(0, 0x12, 7, 0x7d); /* def_cfa_sf -3 * -8 */
  assert_int_equal(row.cfa_value, 24);
  row = ROW_AT(0, 0x13, 0x7c); /* def_cfa_offset_sf */
  assert_int_equal(row.cfa_value, 32);
  row = ROW_AT(0, 0x0f, 2, 0x77, 16); /* def_cfa_expression */
  assert_true(row.cfa_is_expression);
  assert_int_equal(s.frame[row.cfa_value], 2);
  row = ROW_AT(0, 0x0f, 2, 0x77, 16, 0x0c, 7, 16); /* and back */
  assert_false(row.cfa_is_expression);
  row = ROW_AT(0, 0x10, 6, 2, 0x76, 0); /* expression */
  assert_int_equal(row.rule[PROF_CFI_FP], PROF_CFI_EXPRESSION);
  row = ROW_AT(0, 0x16, 6, 2, 0x76, 0); /* val_expression */
  assert_int_equal(row.rule[PROF_CFI_FP], PROF_CFI_VAL_EXPRESSION);
  row = ROW_AT(0, 0x11, 14, 0x7f); /* offset_extended_sf */
  assert_int_equal(row.value[SLOT_R14], 8);
  row = ROW_AT(0, 0x14, 6, 2); /* val_offset */
  assert_int_equal(row.rule[PROF_CFI_FP], PROF_CFI_VAL_OFFSET);
  assert_int_equal(row.value[PROF_CFI_FP], -16);
  row = ROW_AT(0, 0x15, 6, 0x7e); /* val_offset_sf */
  assert_int_equal(row.value[PROF_CFI_FP], 16);
  row = ROW_AT(0, 0x2e, 0x90, 0x01, 0x0e, 40); /* GNU_args_size */
  assert_int_equal(row.cfa_value, 40);
  row = ROW_AT(0, 0x2f, 3, 2); /* GNU_negative_offset_extended */
  assert_int_equal(row.value[SLOT_RBX], 16);
  row = ROW_AT(0, 0x85, 2, 0x00, 0x0e, 16); /* rdi: nobody's; nop */
  assert_int_equal(row.cfa_value, 16);
}

static void unknown_and_impossible_code_is_refused(void **state) {
  (void)state;
  REFUSED(0x0b);                                     /* restore_state without remember */
  REFUSED(0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a); /* too many */
  REFUSED(0x2d);                                     /* GNU_window_save */
  REFUSED(0x3f);
  REFUSED(0x0c, 7);                                                          /* cut short */
  REFUSED(0x0e, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80); /* endless */
  REFUSED(0x0e, 0xff, 0xff, 0xff, 0xff, 0x7f);                               /* over 31 bits */
  REFUSED(0x0f, 2, 0x77, 16, 0x0e, 16); /* an offset on an expression */
  REFUSED(0x0f, 200, 0x77);             /* an expression past the end */
  REFUSED(0x0d, 17);                    /* CFA from xmm0 */
}

static void headers_of_every_shape_are_read_or_refused(void **state) {
  struct synthetic s;
  struct prof_cfi_row row;
  (void)state;
  make(&s, "", usual, sizeof usual, usual, 0); /* no augmentation: absolute pointers */
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION + 5, &row), PROF_CFI_OK);
  make(&s, "zRS", usual, sizeof usual, usual, 0);
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_OK);
  assert_true(row.is_signal_frame);
  make(&s, "eh", usual, sizeof usual, usual, 0);
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_BAD);
  make(&s, "zR", usual, sizeof usual, usual, 0);
  s.hdr[3] = 0xff; /* no table */
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_BAD);
  s.hdr[3] = 0x3b;
  put32(s.hdr + 8, 0x10000000); /* more rows than bytes */
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_BAD);
  put32(s.hdr + 8, 1);
  put32(s.hdr + 16, 0x7fffffff); /* entry far away */
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_BAD);
  make(&s, "zR", usual, sizeof usual, usual, 0);
  put32(s.frame, 0xffffffff); /* 64-bit DWARF */
  assert_int_equal(prof_cfi_compile(&s.image, FUNCTION, &row), PROF_CFI_BAD);
}

static void rows_that_do_not_fit_one_word_are_slow(void **state) {
  struct synthetic s;
  struct prof_cfi_row row = ROW_AT(0, 0x0c, 10, 0); /* CFA from r10 */
  (void)state;
  assert_int_equal(prof_row_pack(&s.image, &row), PROF_ROW_SLOW);
  row = ROW_AT(0, 0x0e, 0xff, 0xff, 0x7f, 0x86, 0xfd, 0xff, 0x07); /* large, but fits */
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(&s.image, &row)), PROF_ROW_NORMAL);
  assert_int_equal(PROF_ROW_CFA(prof_row_pack(&s.image, &row)), 0x1fffff);
  assert_int_equal(PROF_ROW_FP(prof_row_pack(&s.image, &row)), -8 * 0x1fffd);
  row = ROW_AT(0, 0x0e, 0x80, 0x80, 0x80, 0x80, 0x01); /* a frame of 256 MB */
  assert_int_equal(prof_row_pack(&s.image, &row), PROF_ROW_SLOW);
  row = ROW_AT(0, 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3a, 0x2a, 0x33, 0x24, 0x22);
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(&s.image, &row)), PROF_ROW_PLT);
  assert_int_equal(PROF_ROW_CFA(prof_row_pack(&s.image, &row)), 10);
  row = ROW_AT(0, 0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0);
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(&s.image, &row)), PROF_ROW_INDIRECT);
  assert_int_equal(PROF_ROW_CFA(prof_row_pack(&s.image, &row)), -8);
  row = ROW_AT(0, 0x0f, 3, 0x76, 0x78, 0x06); /* rbp elsewhere */
  assert_int_equal(prof_row_pack(&s.image, &row), PROF_ROW_SLOW);
  row = ROW_AT(0, 0x08, 6, 0x07, 6); /* rbp undefined */
  assert_true(prof_row_pack(&s.image, &row) & PROF_ROW_FP_LOST);
}

/* Broken bytes: no read outside (ASan watches the exact sizes), no endless loop. */
static void broken_bytes_never_crash(void **state) {
  static const uint8_t code[] = {0x41, 0x0e, 16,   0x86, 2,    0x43, 0x0d, 6,    0x0a, 0x02, 0x10,
                                 0x0f, 3,    0x77, 8,    0x06, 0x10, 6,    2,    0x76, 0,    0x0b,
                                 0x12, 7,    0x7d, 0x16, 3,    2,    0x70, 0,    0x04, 1,    0,
                                 0,    0,    0x14, 6,    2,    0x2e, 9,    0x05, 3,    4};
  uint32_t seed = 12345;
  unsigned outcomes[3] = {0};
  (void)state;
  for (int round = 0; round < 200000; round++) {
    struct synthetic s;
    struct prof_cfi_row row;
    uint8_t *hdr, *frame;
    make(&s, "zR", usual, sizeof usual, code, sizeof code);
    for (int i = 0; i <= round % 4; i++) {
      size_t total = s.image.hdr.size + s.frame_size, at;
      seed = seed * 1664525 + 1013904223;
      at = (seed >> 8) % total;
      seed = seed * 1664525 + 1013904223;
      if (at < s.image.hdr.size)
        s.hdr[at] = (uint8_t)(seed >> 16);
      else
        s.frame[at - s.image.hdr.size] = (uint8_t)(seed >> 16);
    }
    if (round % 7 == 0)
      s.image.frame.size = (seed >> 8) % (s.frame_size + 1);
    hdr = malloc(s.image.hdr.size);
    frame = malloc(s.image.frame.size + 1); /* malloc(0) may be NULL */
    memcpy(hdr, s.hdr, s.image.hdr.size);
    memcpy(frame + 1, s.frame, s.image.frame.size);
    s.image.hdr.bytes = hdr;
    s.image.frame.bytes = frame + 1;
    outcomes[prof_cfi_compile(&s.image, FUNCTION + (seed >> 4) % 0x30, &row)]++;
    free(hdr);
    free(frame);
  }
  assert_true(outcomes[PROF_CFI_OK] > 1000);
  assert_true(outcomes[PROF_CFI_BAD] > 1000);
}

static bool evaluated(const uint8_t *code, size_t size, uint64_t *out) {
  static const uint64_t words[] = {0x1122334455667788, 42};
  struct prof_memory memory;
  struct prof_regs regs = {{0}, 1u << 7 | 1u << 16};
  uint64_t cfa = 0x9000;
  regs.r[7] = 0x7000;
  regs.r[16] = 0x40100b;
  prof_memory_bytes(&memory, 0x7000, words, sizeof words);
  return prof_expr_evaluate(code, (uint32_t)size, &regs, &memory, &cfa, out);
}
#define VALUE(wanted, ...)                                                                         \
  do {                                                                                             \
    uint64_t value = 0;                                                                            \
    const uint8_t code[] = {__VA_ARGS__};                                                          \
    assert_true(evaluated(code, sizeof code, &value));                                             \
    assert_int_equal(value, (uint64_t)(wanted));                                                   \
  } while (0)
#define NO_VALUE(...)                                                                              \
  do {                                                                                             \
    uint64_t value = 0;                                                                            \
    const uint8_t code[] = {__VA_ARGS__};                                                          \
    assert_false(evaluated(code, sizeof code, &value));                                            \
  } while (0)

static void expressions_compute(void **state) {
  (void)state;
  VALUE(0x7010, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22); /* the PLT's */
  VALUE(0x7008, 0x77, 8, 0x80, 0x7f, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22);
  VALUE(42, 0x77, 8, 0x06);
  VALUE(0x22, 0x77, 6, 0x94, 1);
  VALUE(0x55667788, 0x77, 0, 0x94, 4);
  VALUE(0x9000);
  VALUE(-2, 0x09, 0xfe);
  VALUE(0xfe, 0x08, 0xfe);
  VALUE(-3, 0x0b, 0xfd, 0xff);
  VALUE(0xfffffffd, 0x0c, 0xfd, 0xff, 0xff, 0xff);
  VALUE(300, 0x10, 0xac, 0x02);
  VALUE(-4, 0x11, 0x7c);
  VALUE(3, 0x33, 0x12, 0x32, 0x13, 0x1a);                /* dup, drop, and */
  VALUE(5, 0x35, 0x36, 0x14, 0x15, 2, 0x1c, 0x13, 0x13); /* over, pick, minus, drop twice */
  VALUE(4, 0x36, 0x32, 0x1c);
  VALUE(-4, 0x36, 0x32, 0x16, 0x1c); /* swap */
  VALUE(2, 0x31, 0x32, 0x33, 0x17, 0x13, 0x13, 0x31, 0x22, 0x31, 0x1c, 0x31, 0x22, 0x31, 0x1c, 0x31,
        0x1c);                       /* rot leaves 3 1 2; 3 - 1 */
  VALUE(-3, 0x36, 0x1f, 0x32, 0x1b); /* signed division */
  VALUE(1, 0x37, 0x33, 0x1d);
  VALUE(21, 0x37, 0x33, 0x1e);
  VALUE(7, 0x36, 0x33, 0x21);
  VALUE(5, 0x36, 0x33, 0x27);
  VALUE(-1, 0x30, 0x20);
  VALUE(6, 0x36, 0x1f, 0x19);
  VALUE(-1, 0x38, 0x1f, 0x39, 0x26);      /* shra of -8 */
  VALUE(0, 0x31, 0x08, 64, 0x24);         /* shift by the width */
  VALUE(1, 0x31, 0x1f, 0x30, 0x2d);       /* -1 < 0, signed */
  VALUE(9, 0x39, 0x31, 0x28, 1, 0, 0x20); /* bra over a not */
  VALUE(0x12345678, 0x03, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0x96);
  NO_VALUE(0x70, 0);          /* rax is not known */
  NO_VALUE(0x77, 16, 0x06);   /* outside the dump */
  NO_VALUE(0x31, 0x30, 0x1b); /* by zero */
  NO_VALUE(0x2f, 0xfd, 0xff); /* for ever */
  NO_VALUE(0x2f, 0x10, 0);    /* out of the bytes */
  NO_VALUE(0x13, 0x13);
  NO_VALUE(0x50); /* DW_OP_reg0: no value */
  NO_VALUE(0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12, 0x12,
           0x12); /* too deep */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_begin_and_end_where_the_code_says),
      cmocka_unit_test(every_opcode_does_what_dwarf_says),
      cmocka_unit_test(unknown_and_impossible_code_is_refused),
      cmocka_unit_test(headers_of_every_shape_are_read_or_refused),
      cmocka_unit_test(rows_that_do_not_fit_one_word_are_slow),
      cmocka_unit_test(broken_bytes_never_crash),
      cmocka_unit_test(expressions_compute),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
