/* v8name: real names of node 18 to 26 (test/fixtures/v8/names.txt), odd ones, and mutated ones */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code/space.h"
#include "code/v8name.h"

#define FIXTURE "../fixtures/v8/names.txt"

static struct prof_arena arena;

static struct prof_v8name parse(const char *raw, uint8_t kind) {
  /* without the NUL: reading past the end must show under ASan */
  size_t length = strlen(raw);
  char *exact = malloc(length ? length : 1);
  struct prof_v8name name;
  memcpy(exact, raw, length);
  assert_int_equal(prof_v8name_parse(exact, length, kind, &arena, &name), 0);
  free(exact);
  return name;
}

struct expected {
  const char *raw, *symbol, *name, *file;
  uint32_t line, column;
  uint8_t kind, tier, is_js;
};

static const struct expected table[] = {
    /* node 20 and newer */
    {"JS:*foo /a/b.js:1:2", "foo", "foo /a/b.js:1:2", "/a/b.js", 1, 2, PROF_CODE_JIT, 4, 1},
    {"JS:~foo /a/b.js:10:22", "foo", "foo /a/b.js:10:22", "/a/b.js", 10, 22, PROF_CODE_BYTECODE, 1,
     1},
    {"JS:^foo /a/b.js:1:2", "foo", "foo /a/b.js:1:2", "/a/b.js", 1, 2, PROF_CODE_JIT, 2, 1},
    {"JS:+foo /a/b.js:1:2", "foo", "foo /a/b.js:1:2", "/a/b.js", 1, 2, PROF_CODE_JIT, 3, 1},
    {"JS:+'leaf [eval]:1:95", "leaf", "leaf [eval]:1:95", "[eval]", 1, 95, PROF_CODE_JIT, 3, 1},
    {"JS:o*hot /a.js:5:13", "hot", "hot /a.js:5:13", "/a.js", 5, 13, PROF_CODE_JIT, 4, 1},
    {"JS:o+hot /a.js:5:13", "hot", "hot /a.js:5:13", "/a.js", 5, 13, PROF_CODE_JIT, 3, 1},
    {"JS:~ /a/b.js:3:4", "(anonymous)", "(anonymous) /a/b.js:3:4", "/a/b.js", 3, 4,
     PROF_CODE_BYTECODE, 1, 1},
    {"JS:~ node:internal/main/run_main_module:1:1", "(anonymous)",
     "(anonymous) node:internal/main/run_main_module:1:1", "node:internal/main/run_main_module", 1,
     1, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~esm file:///a/m%20n.mjs:1:20", "esm", "esm /a/m n.mjs:1:20", "/a/m n.mjs", 1, 20,
     PROF_CODE_BYTECODE, 1, 1},
    {"JS:~ webpack://x/./src/a.js?b=c:1:11", "(anonymous)",
     "(anonymous) webpack://x/./src/a.js?b=c:1:11", "webpack://x/./src/a.js?b=c", 1, 11,
     PROF_CODE_BYTECODE, 1, 1},
    {"JS:~inVm /app/with space/in vm.js:1:14", "inVm", "inVm /app/with space/in vm.js:1:14",
     "/app/with space/in vm.js", 1, 14, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~weird name (x) /t.js:17:37", "weird name (x)", "weird name (x) /t.js:17:37", "/t.js", 17,
     37, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~get [Symbol.iterator] /t.js:1:3", "get [Symbol.iterator]",
     "get [Symbol.iterator] /t.js:1:3", "/t.js", 1, 3, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~new\nline /t.js:1:3", "new?line", "new?line /t.js:1:3", "/t.js", 1, 3, PROF_CODE_BYTECODE,
     1, 1},
    {"JS:~gr\xc3\xb6\xc3\x9f"
     "e /t.js:1:3",
     "gr\xc3\xb6\xc3\x9f"
     "e",
     "gr\xc3\xb6\xc3\x9f"
     "e /t.js:1:3",
     "/t.js", 1, 3, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~gr\xf6 /t.js:1:3", "gr?", "gr? /t.js:1:3", "/t.js", 1, 3, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~\xf5\x80\x80\x80\xed\xa0\x80 /t.js:1:3", "???????", "??????? /t.js:1:3", "/t.js", 1, 3,
     PROF_CODE_BYTECODE, 1, 1},
    {"JS:~x ab: c /t.js:1:3", "x ab: c", "x ab: c /t.js:1:3", "/t.js", 1, 3, PROF_CODE_BYTECODE, 1,
     1},
    {"JS:f /t.js:1:3", "f", "f /t.js:1:3", "/t.js", 1, 3, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~evald :1:16", "evald", "evald", NULL, 0, 0, PROF_CODE_BYTECODE, 1, 1},
    {"JS: :1:1", "(anonymous)", "(anonymous)", NULL, 0, 0, PROF_CODE_JIT, 0, 1},
    {"JS:~inWorker [worker eval]:1:63", "inWorker", "inWorker [worker eval]:1:63", "[worker eval]",
     1, 63, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~f evalmachine.<anonymous>:1:9", "f", "f evalmachine.<anonymous>:1:9",
     "evalmachine.<anonymous>", 1, 9, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~f relative.js:1:9", "f", "f relative.js:1:9", "relative.js", 1, 9, PROF_CODE_BYTECODE, 1,
     1},
    {"JS:~#asyncLink node:internal/modules/esm/module_job:388:19", "#asyncLink",
     "#asyncLink node:internal/modules/esm/module_job:388:19",
     "node:internal/modules/esm/module_job", 388, 19, PROF_CODE_BYTECODE, 1, 1},
    {"JS:~f data:text/javascript,export%20default%20function%20f(){return%201};f():1:30", "f",
     "f data:text/javascript,export%20default%20...:1:30",
     "data:text/javascript,export%20default%20...", 1, 30, PROF_CODE_BYTECODE, 1, 1},
    {"Script:~ /a/b.js:1:1", "(script)", "(script) /a/b.js:1:1", "/a/b.js", 1, 1,
     PROF_CODE_BYTECODE, 1, 1},
    {"Script:~ node:async_hooks", "(script)", "(script) node:async_hooks", "node:async_hooks", 0, 0,
     PROF_CODE_BYTECODE, 1, 1},
    {"Eval:~ :1:1", "(eval)", "(eval)", NULL, 0, 0, PROF_CODE_BYTECODE, 1, 1},
    /* node 18: no column */
    {"LazyCompile:*foo /a/b.js:7", "foo", "foo /a/b.js:7", "/a/b.js", 7, 0, PROF_CODE_JIT, 4, 1},
    {"Function:~ node:async_hooks:1", "(anonymous)", "(anonymous) node:async_hooks:1",
     "node:async_hooks", 1, 0, PROF_CODE_BYTECODE, 1, 1},
    /* no JavaScript of the user's */
    {"Builtin:CEntry_Return1", "Builtins_CEntry_Return1", "Builtins_CEntry_Return1", NULL, 0, 0,
     PROF_CODE_BUILTIN, 5, 0},
    {"BytecodeHandler:LdaSmiHandler", "Builtins_LdaSmiHandler", "Builtins_LdaSmiHandler", NULL, 0,
     0, PROF_CODE_HANDLER, 6, 0},
    {"RegExp:o(\\w)", "RegExp /o(\\w)/", "RegExp /o(\\w)/", NULL, 0, 0, PROF_CODE_REGEXP, 7, 0},
    {"RegExp:Regular expression code", "RegExp", "RegExp", NULL, 0, 0, PROF_CODE_REGEXP, 7, 0},
    {"RegExp.> src: 'a' flags: 'b' flags: 'gi'", "RegExp /a' flags: 'b/gi",
     "RegExp /a' flags: 'b/gi", NULL, 0, 0, PROF_CODE_REGEXP, 7, 0},
    {"RegExp.< src: '' flags: ''", "RegExp //", "RegExp //", NULL, 0, 0, PROF_CODE_REGEXP, 7, 0},
    {"Stub:js-to-wasm:i:i", "Stub:js-to-wasm:i:i", "Stub:js-to-wasm:i:i", NULL, 0, 0, PROF_CODE_JIT,
     0, 0},
    {"JS:wasm-function[0]-0-liftoff", "wasm-function[0]-0-liftoff", "wasm-function[0]-0-liftoff",
     NULL, 0, 0, PROF_CODE_WASM, 8, 1},
    /* nothing, and next to nothing */
    {"", "", "", NULL, 0, 0, PROF_CODE_JIT, 0, 0},
    {"JS:", "(anonymous)", "(anonymous)", NULL, 0, 0, PROF_CODE_JIT, 0, 1},
    {"JS:*", "(anonymous)", "(anonymous)", NULL, 0, 0, PROF_CODE_JIT, 4, 1},
    {"JS:o", "o", "o", NULL, 0, 0, PROF_CODE_JIT, 0, 1},
    {"JS:*f /a:99999999999:1", "f", "f /a:99999999999:1", "/a:99999999999", 1, 0, PROF_CODE_JIT, 4,
     1},
};

static void real_and_odd_names_are_taken_apart(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const struct expected *want = &table[i];
    struct prof_v8name got = parse(want->raw, want->kind);
    assert_string_equal(got.symbol, want->symbol);
    assert_string_equal(got.name, want->name);
    assert_int_equal(got.file != NULL, want->file != NULL);
    if (want->file)
      assert_string_equal(got.file, want->file);
    assert_int_equal(got.line, want->line);
    assert_int_equal(got.column, want->column);
    assert_int_equal(got.tier, want->tier);
    assert_int_equal(got.is_js, want->is_js);
  }
}

/* JSON's escapes, as far as the fixture has them; in place. */
static size_t unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from; from++) {
    if (*from == '\\' && from[1])
      *to++ = *++from == 'n' ? '\n' : *from;
    else
      *to++ = *from;
  }
  *to = '\0';
  return (size_t)(to - text);
}

static void each_name_of_six_node_versions_is_understood(void **state) {
  FILE *file = fopen(FIXTURE, "r");
  char line[8192], kind[32], raw[4096];
  int node, tier, rows = 0, js = 0;
  (void)state;
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) {
    uint8_t got_kind, got_tier;
    struct prof_v8name name;
    assert_int_equal(sscanf(line, "%d\t%31s\t%d\t\"%4095[^\n]", &node, kind, &tier, raw), 4);
    raw[strlen(raw) - 1] = '\0'; /* the closing quote */
    unescape(raw);
    int code_type = !strcmp(kind, "bytecode") ? 0 : !strcmp(kind, "wasm") ? 2 : 1;
    prof_v8name_classify(raw, strlen(raw), code_type, &got_kind, &got_tier);
    assert_string_equal(prof_code_kind_name(got_kind), kind);
    assert_int_equal(got_tier, tier);
    name = parse(raw, got_kind);
    assert_int_equal(name.tier, tier);
    assert_true(name.symbol[0] != '\0');
    assert_null(strpbrk(name.symbol, "\n\t"));
    if (name.is_js && name.file) {
      js++;
      assert_true(name.file[0] == '/' || strchr(name.file, ':') || name.file[0] == '[' ||
                  strncmp(name.file, "evalmachine.", 12) == 0);
      assert_true(name.line > 0 || strncmp(name.symbol, "(script)", 8) == 0);
      assert_int_equal(name.column > 0, name.line > 0 && node > 18);
      assert_int_equal(strncmp(name.name, name.symbol, strlen(name.symbol)), 0);
    }
    rows++;
  }
  fclose(file);
  assert_true(rows > 300 && js > 100);
}

static void a_name_without_end_is_cut(void **state) {
  char *raw = malloc(100000);
  struct prof_v8name name;
  (void)state;
  memset(raw, 'x', 100000);
  memcpy(raw, "JS:*", 4);
  assert_int_equal(prof_v8name_parse(raw, 100000, PROF_CODE_JIT, &arena, &name), 0);
  assert_int_equal(strlen(name.symbol), 4096 - 4);
  memcpy(raw, "JS:*f /", 7);
  assert_int_equal(prof_v8name_parse(raw, 4000, PROF_CODE_JIT, &arena, &name), 0);
  assert_int_equal(strlen(name.file), 1024 + 3);
  free(raw);
}

static void no_memory_is_said(void **state) {
  struct prof_arena none;
  struct prof_v8name name;
  (void)state;
  prof_arena_init(&none, 1);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    int status = prof_v8name_parse(table[i].raw, strlen(table[i].raw), table[i].kind, &none, &name);
    /* names that are literals need none */
    assert_true(status == -1 || name.symbol[0] == '(' || strcmp(name.symbol, "RegExp") == 0);
  }
  prof_arena_free(&none);
}

static void mutated_names_stay_in_bounds(void **state) {
  uint64_t seed = 0x9e3779b97f4a7c15ull;
  (void)state;
  for (int round = 0; round < 60000; round++) {
    const struct expected *from = &table[(size_t)round % (sizeof table / sizeof *table)];
    size_t length = strlen(from->raw);
    char *raw = malloc(length + 8);
    struct prof_v8name name;
    uint8_t kind, tier;
    memcpy(raw, from->raw, length);
    for (int edits = 0; edits < 4; edits++) {
      seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
      static const char bytes[] = " :/~^+*o'%0129[]\xc3\xf0\x80\n\0.dJSR";
      if (length)
        raw[(seed >> 8) % length] = bytes[(seed >> 32) % sizeof bytes];
      if ((seed & 7) == 0 && length)
        length -= (seed >> 40) % length;
    }
    char *exact = malloc(length ? length : 1);
    memcpy(exact, raw, length);
    prof_v8name_classify(exact, length, (int)(seed % 3), &kind, &tier);
    assert_true(kind <= PROF_CODE_UNKNOWN && tier <= PROF_TIER_WASM);
    assert_int_equal(prof_v8name_parse(exact, length, kind, &arena, &name), 0);
    assert_non_null(name.symbol);
    assert_non_null(name.name);
    assert_true(strlen(name.name) <= length + 64);
    for (const char *c = name.name; *c; c++)
      assert_true((unsigned char)*c >= ' ');
    free(exact);
    free(raw);
    if (round % 5000 == 0)
      prof_arena_free(&arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(real_and_odd_names_are_taken_apart),
      cmocka_unit_test(each_name_of_six_node_versions_is_understood),
      cmocka_unit_test(a_name_without_end_is_cut),
      cmocka_unit_test(no_memory_is_said),
      cmocka_unit_test(mutated_names_stay_in_bounds),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  prof_arena_free(&arena);
  return failed;
}
