/* x86: instructions and their lengths; exits: where functions of this very program are left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "code/funcs.h"
#include "trace/exits.h"
#include "trace/probes.h"
#include "trace/x86.h"

struct expected {
  const char *bytes; /* hex, with more behind it that does not belong to it */
  unsigned length;
  enum prof_x86_kind kind;
  int64_t target;
  bool is_emulated;
};

/* Checked against objdump 2.40, as were all 8.2 million instructions of libc and rspack's binding.
 */
static const struct expected instructions[] = {
    {"55 90", 1, PROF_X86_OTHER, 0, true},                              /* push rbp */
    {"41 57 90", 2, PROF_X86_OTHER, 0, true},                           /* push r15 */
    {"48 89 e5", 3, PROF_X86_OTHER, 0, false},                          /* mov rbp, rsp */
    {"48 83 ec 20", 4, PROF_X86_OTHER, 0, false},                       /* sub rsp, 32 */
    {"48 81 ec 00 10 00 00", 7, PROF_X86_OTHER, 0, false},              /* sub rsp, 4096 */
    {"66 81 c3 34 12 90", 5, PROF_X86_OTHER, 0, false},                 /* add bx, imm16 */
    {"48 b8 08 07 06 05 04 03 02 01", 10, PROF_X86_OTHER, 0, false},    /* movabs rax */
    {"b8 04 03 02 01 90", 5, PROF_X86_OTHER, 0, false},                 /* mov eax, imm32 */
    {"48 8b 04 25 00 00 00 00", 8, PROF_X86_OTHER, 0, false},           /* mov rax, [abs32] */
    {"48 8b 05 10 00 00 00", 7, PROF_X86_OTHER, 0, false},              /* mov rax, [rip+16] */
    {"64 48 8b 04 25 28 00 00 00", 9, PROF_X86_OTHER, 0, false},        /* mov rax, fs:[40] */
    {"f6 05 01 00 00 00 7f 90", 7, PROF_X86_OTHER, 0, false},           /* test byte [rip+1], 127 */
    {"f7 d8 90 90 90 90", 2, PROF_X86_OTHER, 0, false},                 /* neg eax */
    {"f7 c1 04 03 02 01", 6, PROF_X86_OTHER, 0, false},                 /* test ecx, imm32 */
    {"f3 0f 1e fa", 4, PROF_X86_OTHER, 0, false},                       /* endbr64 */
    {"66 2e 0f 1f 84 00 00 00 00 00", 10, PROF_X86_OTHER, 0, false},    /* nopw */
    {"c5 f8 77 90", 3, PROF_X86_OTHER, 0, false},                       /* vzeroupper */
    {"c4 e3 7d 19 c1 01 90", 6, PROF_X86_OTHER, 0, false},              /* vextractf128 */
    {"62 f1 7c 48 28 05 00 00 00 00 90", 10, PROF_X86_OTHER, 0, false}, /* vmovaps zmm0, [rip] */
    {"66 0f 3a 0f c1 08", 6, PROF_X86_OTHER, 0, false},                 /* palignr */
    {"0f c2 c1 01", 4, PROF_X86_OTHER, 0, false},                       /* cmpps */
    {"c8 10 00 01", 4, PROF_X86_OTHER, 0, false},                       /* enter */
    {"e8 10 00 00 00", 5, PROF_X86_OTHER, 0, true},                     /* call */
    {"ff 15 10 00 00 00", 6, PROF_X86_OTHER, 0, false},                 /* call [rip+16] */
    {"c3 90", 1, PROF_X86_RETURN, 0, false},                            /* ret */
    {"f3 c3", 2, PROF_X86_RETURN, 0, false},                            /* rep ret */
    {"c2 08 00", 3, PROF_X86_RETURN, 0, false},                         /* ret 8 */
    {"eb fe", 2, PROF_X86_JUMP, 0, true},                               /* jmp to itself */
    {"e9 fb ff ff ff", 5, PROF_X86_JUMP, 0, true},                      /* the long way */
    {"66 e9 fb 00 00 00", 6, PROF_X86_JUMP, 257, true},                 /* 66 changes nothing */
    {"74 10", 2, PROF_X86_JUMP_IF, 18, true},                           /* je */
    {"0f 85 00 01 00 00", 6, PROF_X86_JUMP_IF, 262, true},              /* jne */
    {"e3 05", 2, PROF_X86_JUMP_IF, 7, false},                           /* jrcxz */
    {"ff e0", 2, PROF_X86_JUMP_INDIRECT, 0, false},                     /* jmp rax */
    {"ff 25 01 02 03 00", 6, PROF_X86_JUMP_OUT, 0, false},              /* jmp [rip+..] */
    {"41 ff 63 18", 4, PROF_X86_JUMP_INDIRECT, 0, false},               /* jmp [r11+0x18] */
    {"3e ff 24 c5 00 00 00 00", 8, PROF_X86_JUMP_INDIRECT, 0, false},   /* notrack jmp [rax*8] */
    {"06", 0, PROF_X86_BAD, 0, false},                                  /* push es: 32-bit */
    {"ff 1a", 0, PROF_X86_BAD, 0, false},                               /* lcall */
    {"48 81 ec 00 10", 0, PROF_X86_BAD, 0, false},                      /* cut short */
    {"48", 0, PROF_X86_BAD, 0, false},                                  /* a prefix alone */
    {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", 0, PROF_X86_BAD, 0, false}, /* 16 bytes */
};

static void test_instructions_have_their_lengths_and_targets(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
    const struct expected *e = &instructions[i];
    unsigned char bytes[32];
    size_t size = 0;
    unsigned value;
    for (const char *at = e->bytes; sscanf(at, "%2x", &value) == 1; at += at[2] ? 3 : 2)
      bytes[size++] = (unsigned char)value;
    struct prof_x86 got = prof_x86_decode(bytes, size);
    if (got.kind != e->kind || (e->kind != PROF_X86_BAD && got.length != e->length) ||
        (e->kind != PROF_X86_BAD && got.target != e->target) ||
        (e->kind != PROF_X86_BAD && got.is_emulated != e->is_emulated))
      fail_msg("%s: kind %d length %u target %lld emulated %d", e->bytes, got.kind, got.length,
               (long long)got.target, got.is_emulated);
  }
}

static void test_an_indirect_jump_says_where_its_target_stands(void **state) {
  static const struct {
    unsigned char bytes[8];
    size_t size;
    uint8_t base;
    bool in_memory;
    int32_t displacement;
  } jumps[] = {
      {{0xff, 0xe0}, 2, 0, false, 0},
      {{0x3e, 0x41, 0xff, 0xe3}, 4, 11, false, 0},
      {{0xff, 0x26}, 2, 6, true, 0},
      {{0x41, 0xff, 0x63, 0xe8}, 4, 11, true, -24},
      {{0xff, 0xa3, 0x10, 0x02, 0x00, 0x80}, 6, 3, true, INT32_MIN + 0x210},
      {{0xff, 0x24, 0xc7}, 3, PROF_X86_NO_BASE, true, 0}, /* [rdi+rax*8] */
      {{0x64, 0xff, 0x20}, 3, PROF_X86_NO_BASE, true, 0}, /* fs:[rax] */
      {{0x41, 0xff, 0x65, 0x08}, 4, 13, true, 8},
  };
  (void)state;
  for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
    struct prof_x86 got = prof_x86_decode(jumps[i].bytes, jumps[i].size);
    assert_int_equal(got.kind, PROF_X86_JUMP_INDIRECT);
    assert_int_equal(got.length, jumps[i].size);
    assert_int_equal(got.base, jumps[i].base);
    assert_int_equal(got.in_memory, jumps[i].in_memory);
    assert_int_equal(got.displacement, jumps[i].displacement);
  }
}

static void test_no_bytes_make_it_read_beyond_them(void **state) {
  unsigned char bytes[15];
  uint32_t seed = 1;
  (void)state;
  for (int round = 0; round < 200000; round++) {
    for (size_t i = 0; i < sizeof bytes; i++) {
      seed = seed * 1664525u + 1013904223u;
      bytes[i] = (unsigned char)(seed >> 24);
    }
    size_t size = seed % (sizeof bytes + 1);
    unsigned char exact[15];
    memcpy(exact, bytes, size);
    struct prof_x86 got = prof_x86_decode(exact, size);
    assert_true(got.kind == PROF_X86_BAD || (got.length >= 1 && got.length <= size));
  }
}

/* Functions with ends of every sort. In assembly: a compiler would make others of them. */
__asm__(
    ".pushsection .text\n"
    ".macro fixture name\n.globl \\name\n.type \\name, @function\n\\name:\n.endm\n"
    "fixture exits_two\n"
    "  push %rbp\n test %edi, %edi\n je 1f\n pop %rbp\n ret\n1: pop %rbp\n rep ret\n"
    ".size exits_two, . - exits_two\n"
    "fixture exits_tail\n  inc %edi\n jmp exits_two\n.size exits_tail, . - exits_tail\n"
    "fixture exits_thunk\n  jmp exits_two\n.size exits_thunk, . - exits_thunk\n"
    "fixture exits_bare\n  ret\n.size exits_bare, . - exits_bare\n"
    "fixture exits_switch\n  jmp *%rax\n  ret\n.size exits_switch, . - exits_switch\n"
    "fixture exits_table\n  push %rbx\n jmp *%r11\n pop %rbx\n ret\n"
    ".size exits_table, . - exits_table\n"
    "fixture exits_virtual\n  mov (%rdi), %rax\n jmp *0x18(%rax)\n"
    ".size exits_virtual, . - exits_virtual\n"
    "fixture exits_got\n  jmp *exits_got(%rip)\n.size exits_got, . - exits_got\n"
    "fixture exits_maybe\n  test %edi, %edi\n jne exits_two\n ret\n"
    ".size exits_maybe, . - exits_maybe\n"
    "fixture exits_data\n  je 1f+2\n1: .byte 0x48,0xb8,0x90,0x90,0x90,0x90,0x90,0x90,0x90,0x90\n"
    "  ret\n.size exits_data, . - exits_data\n"
    "fixture exits_never\n  jmp exits_never\n.size exits_never, . - exits_never\n"
    "fixture exits_split\n  test %edi, %edi\n jne exits_split.cold\n2: ret\n"
    ".size exits_split, . - exits_split\n"
    "fixture exits_split.cold\n  inc %edi\n jmp 2b\n  ret\n"
    ".size exits_split.cold, . - exits_split.cold\n"
    "fixture Builtins_Fixture\n  ret\n.size Builtins_Fixture, . - Builtins_Fixture\n"
    ".popsection\n");

static struct prof_exits find(struct prof_funcs *funcs, const char *name, uint64_t *address) {
  struct prof_func func;
  struct prof_exits exits;
  assert_true(prof_funcs_find(funcs, name, &func));
  *address = func.address;
  prof_exits_find(funcs, &func, &exits);
  return exits;
}

static void test_every_way_out_is_found_or_refused(void **state) {
  struct prof_funcs *funcs;
  struct prof_error error;
  struct prof_exits e;
  uint64_t at;
  (void)state;
  assert_int_equal(prof_funcs_open("/proc/self/exe", &funcs, &error), 0);

  e = find(funcs, "exits_two", &at);
  assert_int_equal(e.count, 2);
  assert_int_equal(e.exits[0].address, at + 6);
  assert_int_equal(e.exits[1].kind, PROF_SITE_RETURN);
  assert_true(e.entry_is_emulated);
  assert_false(e.may_leave_unseen || e.calls_only || e.is_one_instruction);

  e = find(funcs, "exits_tail", &at);
  assert_int_equal(e.count, 1);
  assert_int_equal(e.exits[0].kind, PROF_SITE_TAIL);
  assert_true(e.exits[0].is_emulated);
  assert_false(e.entry_is_emulated);

  e = find(funcs, "exits_thunk", &at);
  assert_true(e.is_one_instruction);
  e = find(funcs, "exits_bare", &at);
  assert_true(e.is_one_instruction);

  e = find(funcs, "exits_switch", &at);
  assert_int_equal(e.count, 1);
  assert_true(e.may_leave_unseen);
  e = find(funcs, "exits_table", &at);
  assert_int_equal(e.count, 2);
  assert_int_equal(e.exits[0].kind, PROF_SITE_JUMP);
  assert_int_equal(e.exits[0].base, 11);
  assert_false(e.may_leave_unseen || e.exits[0].in_memory);
  e = find(funcs, "exits_virtual", &at);
  assert_int_equal(e.count, 1);
  assert_int_equal(e.exits[0].kind, PROF_SITE_JUMP);
  assert_int_equal(e.exits[0].displacement, 0x18);
  assert_true(e.exits[0].in_memory);
  e = find(funcs, "exits_got", &at);
  assert_true(e.is_one_instruction);
  e = find(funcs, "exits_maybe", &at);
  assert_int_equal(e.count, 1);
  assert_true(e.may_leave_unseen);

  /* A jump into the middle of an instruction: what is decoded is not what is run. */
  e = find(funcs, "exits_data", &at);
  assert_true(e.calls_only);
  assert_int_equal(e.count, 0);

  e = find(funcs, "exits_never", &at);
  assert_int_equal(e.count, 0);
  assert_false(e.calls_only);

  e = find(funcs, "exits_split", &at);
  assert_int_equal(e.count, 2); /* its own, and the one of its part */
  assert_false(e.may_leave_unseen);

  e = find(funcs, "Builtins_Fixture", &at);
  assert_true(e.calls_only);
  prof_funcs_close(funcs);
}

static void what_the_kernel_refuses_is_told_with_the_way_out(void **state) {
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_probes_refused("/bin/x", -EACCES, &error), PROF_PERMISSION);
  assert_non_null(strstr(error.message, "sudo"));
  assert_int_equal(prof_probes_refused("/bin/x", -ENOENT, &error), PROF_BAD_FILE);
  assert_string_equal(error.message, "/bin/x is not there");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_instructions_have_their_lengths_and_targets),
      cmocka_unit_test(test_an_indirect_jump_says_where_its_target_stands),
      cmocka_unit_test(test_no_bytes_make_it_read_beyond_them),
      cmocka_unit_test(test_every_way_out_is_found_or_refused),
      cmocka_unit_test(what_the_kernel_refuses_is_told_with_the_way_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
