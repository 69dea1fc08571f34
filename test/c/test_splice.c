/* stack/splice: words of a walk, kernel callchain and bytecode -> one path in the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "code/kernel.h"
#include "code/module.h"
#include "stack/splice.h"
#include "stack/unwind.h"

enum { MODULE = 0x400000, JIT = 0x900000, TRAMPOLINE = 0x800000, BYTECODE = 0x50036 };

static struct {
  struct prof_tree tree, kernel;
  struct prof_space *space;
  struct prof_splice splice;
  uint32_t module, jit, trampoline, bytecode;
} t;

static uint32_t add(uint8_t kind, uint64_t start, uint64_t size, const char *name) {
  const struct prof_code code = {
      .kind = kind, .start = start, .size = size, .name = name, .module = -1};
  uint32_t id = prof_space_add(t.space, &code);
  assert_int_not_equal(id, PROF_CODE_NONE);
  return id;
}

static int set_up(void **state) {
  (void)state;
  memset(&t, 0, sizeof t);
  t.space = prof_space_create();
  if (!t.space || prof_tree_init(&t.tree) || prof_tree_init(&t.kernel))
    return -1;
  t.splice = (struct prof_splice){.tree = &t.tree, .space = t.space};
  t.splice.bytecode = (struct prof_bytecode_layout){.slot = -4, .header = 0x36, .proven = true};
  t.module = add(PROF_CODE_MODULE, MODULE, 0x1000, NULL);
  t.trampoline = add(PROF_CODE_BUILTIN, TRAMPOLINE, 0x100, "Builtin:InterpreterEntryTrampoline");
  t.jit = add(PROF_CODE_JIT, JIT, 0x200, "JS:*hot a.js:1:1");
  t.bytecode = add(PROF_CODE_BYTECODE, BYTECODE, 0x40, "JS:~cold a.js:2:1");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  prof_tree_free(&t.tree);
  prof_tree_free(&t.kernel);
  prof_splice_free(&t.splice);
  prof_space_free(t.space);
  return 0;
}

/* The keys from the root down to node. */
static uint32_t path(uint32_t node, uint64_t *keys) {
  uint32_t depth = 0;
  for (uint32_t at = node; at != PROF_TREE_ROOT; at = t.tree.nodes[at].parent)
    depth++;
  uint32_t left = depth;
  for (uint32_t at = node; at != PROF_TREE_ROOT; at = t.tree.nodes[at].parent) {
    keys[--left] = t.tree.keys[t.tree.nodes[at].frame];
  }
  return depth;
}

static void native_frames_keep_their_offset_and_v8s_do_not(void **state) {
  (void)state;
  uint64_t keys[8];
  const uint64_t words[] = {PROF_WORD(PROF_WORD_PC, JIT + 0x44),
                            PROF_WORD(PROF_WORD_RETURN, MODULE + 0x123)};
  uint32_t node = prof_splice_user(&t.splice, NULL, words, 2, 0);
  assert_int_equal(path(node, keys), 2);
  assert_int_equal(keys[0], PROF_FRAME_KEY(t.module, 0x123));
  assert_int_equal(keys[1], PROF_FRAME_KEY(t.jit, 0));
}

static void an_interpreted_function_stands_in_for_the_interpreter(void **state) {
  (void)state;
  uint64_t keys[8];
  /* tagged pointer p: (p - 1) + 0x36 is the bytecode's start */
  const uint64_t words[] = {PROF_WORD(PROF_WORD_RETURN, TRAMPOLINE + 0x20),
                            PROF_WORD(PROF_WORD_BYTECODE, BYTECODE - 0x36 + 1),
                            PROF_WORD(PROF_WORD_RETURN, MODULE + 1)};
  uint32_t node = prof_splice_user(&t.splice, NULL, words, 3, 0);
  assert_int_equal(path(node, keys), 2);
  assert_int_equal(keys[1], PROF_FRAME_KEY(t.bytecode, 0));
  assert_int_equal(t.splice.unnamed_interpreter, 0);
}

static void a_stale_bytecode_slot_leaves_the_interpreters_frame(void **state) {
  (void)state;
  static const uint64_t slots[] = {BYTECODE - 0x36 + 1 + 8, /* into the middle */
                                   BYTECODE - 0x36,         /* no tagged pointer */
                                   MODULE - 0x36 + 1};      /* no bytecode there */
  for (int i = 0; i < 3; i++) {
    uint64_t keys[8];
    const uint64_t words[] = {PROF_WORD(PROF_WORD_RETURN, TRAMPOLINE + 0x20),
                              PROF_WORD(PROF_WORD_BYTECODE, slots[i])};
    uint32_t node = prof_splice_user(&t.splice, NULL, words, 2, 0);
    assert_int_equal(path(node, keys), 1);
    assert_int_equal(keys[0], PROF_FRAME_KEY(t.trampoline, 0));
    assert_int_equal(t.splice.unnamed_interpreter, i + 1);
  }
}

static void broken_truncated_and_scanned_stacks_say_so(void **state) {
  (void)state;
  uint64_t keys[8];
  const uint64_t words[] = {PROF_WORD(PROF_WORD_PC, JIT), PROF_WORD(PROF_WORD_GAP, 64),
                            PROF_WORD(PROF_WORD_RETURN, MODULE)};
  uint32_t node = prof_splice_user(&t.splice, NULL, words, 3, PROF_FRAME_BROKEN);
  assert_int_equal(path(node, keys), 4);
  assert_int_equal(keys[0], PROF_FRAME_BROKEN);
  /* 64 bytes; the callee is JIT code, of no module */
  assert_int_equal(keys[2], PROF_FRAME_KEY(PROF_FRAME_SKIPPED, 6u << 24 | PROF_SKIPPED_NO_MODULE));
  assert_int_equal(PROF_SKIPPED_BYTES((uint32_t)keys[2]), 64);
}

static void the_memo_gives_what_a_fresh_look_gives(void **state) {
  (void)state;
  struct prof_splice_memo memo = {0};
  uint32_t seed = 7;
  for (int round = 0; round < 2000; round++) {
    uint64_t words[24];
    uint32_t count = 0, frames = 1 + (seed >> 8) % 10;
    for (uint32_t i = 0; i < frames; i++) {
      seed = seed * 1664525 + 1013904223;
      bool interpreted = (seed >> 20) % 3 == 0;
      words[count++] = interpreted ? PROF_WORD(PROF_WORD_RETURN, TRAMPOLINE + (seed >> 24) % 2)
                                   : PROF_WORD(PROF_WORD_RETURN, MODULE + (seed >> 28));
      if (interpreted) {
        uint64_t slot = BYTECODE - 0x36 + 1 + ((seed >> 26) % 2) * 8;
        words[count++] = PROF_WORD(PROF_WORD_BYTECODE, slot);
      }
    }
    uint64_t base = round % 50 == 0 ? PROF_FRAME_TRUNCATED : 0;
    uint32_t with = prof_splice_user(&t.splice, &memo, words, count, base);
    assert_int_equal(prof_splice_user(&t.splice, NULL, words, count, base), with);
  }
  prof_splice_memo_free(&memo);
}

/* One stack, looked up with the same memo while the code below its addresses changes. */
static void code_that_changes_under_an_address_is_seen(void **state) {
  (void)state;
  struct prof_splice_memo memo = {0};
  uint64_t keys[8];
  const uint64_t words[] = {
      PROF_WORD(PROF_WORD_RETURN, JIT + 0x10), PROF_WORD(PROF_WORD_RETURN, TRAMPOLINE + 0x20),
      PROF_WORD(PROF_WORD_BYTECODE, BYTECODE - 0x36 + 1), PROF_WORD(PROF_WORD_RETURN, JIT + 0x1000),
      PROF_WORD(PROF_WORD_RETURN, MODULE + 0x123)};
  path(prof_splice_user(&t.splice, &memo, words, 5, 0), keys);
  assert_int_equal(keys[1] >> 32, PROF_SPACE_UNKNOWN);
  assert_int_equal(keys[2], PROF_FRAME_KEY(t.bytecode, 0));
  assert_int_equal(keys[3], PROF_FRAME_KEY(t.jit, 0));

  /* New code where an old one was; bytecode that moved away. */
  uint32_t later = add(PROF_CODE_JIT, JIT, 0x200, "JS:*later a.js:9:1");
  prof_space_move(t.space, BYTECODE, BYTECODE + 0x1000);
  path(prof_splice_user(&t.splice, &memo, words, 5, 0), keys);
  assert_int_equal(keys[2], PROF_FRAME_KEY(t.trampoline, 0));
  assert_int_equal(keys[3], PROF_FRAME_KEY(later, 0));

  /* Code above a module, and a part of a module unmapped. */
  uint32_t above = add(PROF_CODE_BUILTIN, MODULE + 0x100, 0x100, "Builtin:Above");
  path(prof_splice_user(&t.splice, &memo, words, 5, 0), keys);
  assert_int_equal(keys[0], PROF_FRAME_KEY(above, 0));
  prof_space_unmap(t.space, MODULE, 0x800);
  path(prof_splice_user(&t.splice, &memo, words, 5, 0), keys);
  assert_int_equal(keys[0] >> 32, PROF_SPACE_UNKNOWN);

  /* A place that was not known. */
  uint32_t known = add(PROF_CODE_JIT, JIT + 0x1000, 0x40, "JS:*known a.js:10:1");
  path(prof_splice_user(&t.splice, NULL, words, 5, 0), keys);
  assert_int_equal(keys[1], PROF_FRAME_KEY(known, 0));
  prof_splice_memo_free(&memo);
}

static void kernel_frames_come_below_the_user_stack(void **state) {
  (void)state;
  uint64_t keys[8];
  static const uint64_t chain[] = {0xffffffff81000010, 0xffffffff81000020};
  uint32_t kernel = prof_splice_kernel(&t.splice, &t.kernel, chain, 2);
  const uint64_t words[] = {PROF_WORD(PROF_WORD_PC, MODULE + 5)};
  uint32_t node = prof_splice_user(&t.splice, NULL, words, 1, 0);
  node = prof_splice_graft(&t.splice, node, &t.kernel, kernel);
  assert_int_equal(path(node, keys), 3);
  assert_int_equal(keys[1], PROF_FRAME_KEY(PROF_SPACE_KERNEL, 0x81000020));
  assert_int_equal(keys[2], PROF_FRAME_KEY(PROF_SPACE_KERNEL, 0x81000010));
  assert_int_equal(prof_splice_graft(&t.splice, node, &t.kernel, PROF_TREE_ROOT), node);
}

/* Before the kernel's names are read, and after: what was seen before is one with it from then on.
 */
static void places_become_one_frame_once_their_function_is_known(void **state) {
  (void)state;
  char path[] = "/tmp/rspack-prof-test-XXXXXX";
  static const char names[] = "ffffffff81000000 T first\nffffffff81000100 T second\n";
  static const uint64_t chain[] = {0xffffffff81000010, 0xffffffff81000180};
  static const uint64_t other[] = {0xffffffff81000020, 0xffffffff81000170};
  struct prof_arena arena;
  int fd = mkstemp(path);
  assert_int_equal(write(fd, names, sizeof names - 1), sizeof names - 1);
  close(fd);
  struct prof_kernel *kernel = prof_kernel_create(path);
  struct prof_modules *modules = prof_modules_create(NULL);
  prof_arena_init(&arena, 0);
  t.splice.symbols = prof_symbols_create(modules, kernel, &arena);
  assert_non_null(t.splice.symbols);
  uint32_t before = prof_splice_kernel(&t.splice, &t.kernel, chain, 2);
  assert_int_not_equal(prof_splice_kernel(&t.splice, &t.kernel, other, 2), before);
  const struct prof_code *code = prof_space_code(t.space, PROF_SPACE_KERNEL);
  while (prof_symbols_prefetch(t.splice.symbols, code, PROF_SPACE_KERNEL, 0x81000010))
    prof_splice_forget(&t.splice);
  uint32_t after = prof_splice_kernel(&t.splice, &t.kernel, chain, 2);
  assert_int_equal(prof_splice_kernel(&t.splice, &t.kernel, other, 2), after);
  assert_int_equal(t.kernel.keys[t.kernel.nodes[after].frame],
                   PROF_FRAME_KEY(PROF_SPACE_KERNEL, 0x81000000));
  uint32_t node = prof_splice_graft(&t.splice, PROF_TREE_ROOT, &t.kernel, after);
  assert_int_equal(t.tree.keys[t.tree.nodes[node].frame],
                   PROF_FRAME_KEY(PROF_SPACE_KERNEL, 0x81000000));
  assert_int_equal(prof_splice_graft(&t.splice, PROF_TREE_ROOT, &t.kernel, after), node);
  prof_symbols_free(t.splice.symbols);
  prof_modules_free(modules);
  prof_kernel_free(kernel);
  prof_arena_free(&arena);
  unlink(path);
}

static void deep_chains_are_kept_whole(void **state) {
  (void)state;
  uint64_t chain[300], keys[400];
  for (uint64_t i = 0; i < 300; i++)
    chain[i] = 0xffffffff81000000 + i;
  uint32_t leaf = prof_splice_kernel(&t.splice, &t.kernel, chain, 200);
  uint32_t node = prof_splice_graft(&t.splice, PROF_TREE_ROOT, &t.kernel, leaf);
  assert_int_equal(path(node, keys), 200);
  for (uint32_t i = 0; i < 200; i++)
    assert_int_equal(keys[i], PROF_FRAME_KEY(PROF_SPACE_KERNEL, 0x81000000 + 199 - i));
  uint32_t deeper = prof_splice_kernel(&t.splice, &t.kernel, chain, 300), depth = 0;
  for (; deeper != PROF_TREE_ROOT; deeper = t.kernel.nodes[deeper].parent)
    depth++;
  assert_int_equal(depth, 300);
}

/* More levels than are looked up at once, each with its own node. */
static void deep_walks_are_one_path(void **state) {
  (void)state;
  struct prof_splice_memo memo = {0};
  uint64_t words[200], keys[200];
  for (uint32_t i = 0; i < 200; i++)
    words[i] = PROF_WORD(i ? PROF_WORD_RETURN : PROF_WORD_PC, MODULE + 8 * i);
  uint32_t leaf = prof_splice_user(&t.splice, &memo, words, 200, 0);
  assert_int_equal(path(leaf, keys), 200);
  for (uint32_t i = 0; i < 200; i++)
    assert_int_equal(keys[199 - i], PROF_FRAME_KEY(t.module, 8 * i));
  assert_int_equal(memo.count, 200);
  assert_int_equal(memo.nodes[199], leaf);
  assert_int_equal(prof_splice_user(&t.splice, &memo, words + 70, 130, 0), memo.nodes[129]);
  prof_splice_memo_free(&memo);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(native_frames_keep_their_offset_and_v8s_do_not),
      TEST(an_interpreted_function_stands_in_for_the_interpreter),
      TEST(a_stale_bytecode_slot_leaves_the_interpreters_frame),
      TEST(broken_truncated_and_scanned_stacks_say_so),
      TEST(the_memo_gives_what_a_fresh_look_gives),
      TEST(code_that_changes_under_an_address_is_seen),
      TEST(kernel_frames_come_below_the_user_stack),
      TEST(places_become_one_frame_once_their_function_is_known),
      TEST(deep_chains_are_kept_whole),
      TEST(deep_walks_are_one_path),
  };
  return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}
