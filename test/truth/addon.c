/*
 * The unwinder on the stack of the JavaScript that calls it, for the tests of V8's frames:
 *
 *   attach()  -> [slot, header, proven]  follows V8's code; once
 *   begin(), end()  -> stepping on and off (steps.h); end() tells the result as an object
 *   walk()  -> [[kind, name], ...] of its own stack, innermost first; the last entry is how it
 * ended
 */
#include <dlfcn.h>
#include <node_api.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "code/bytecode.h"
#include "code/jit.h"
#include "code/v8name.h"
#include "stack/context.h"
#include "steps.h"

enum { FRAMES = 4096 };

static struct prof_space *space;
static struct prof_arena names;
static struct prof_bytecode_layout layout;
static struct prof_v8_map v8_map;
static struct prof_unwind unwind;
static struct prof_memory memory;
static uint64_t words[FRAMES];

static void publish_map(void) {
  static struct prof_jit_map map;
  prof_jit_apply(UINT64_MAX, space, &names);
  if (!prof_jit_v8_map(&map))
    return;
  prof_v8map_fill(&v8_map, &map, &layout);
  unwind.v8 = &v8_map;
}

static void set(napi_env env, napi_value object, const char *key, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, key, value);
}

static void push(napi_env env, napi_value array, napi_value value) {
  uint32_t length;
  napi_get_array_length(env, array, &length);
  napi_set_element(env, array, length, value);
}

static napi_value text(napi_env env, const char *characters) {
  napi_value value;
  napi_create_string_utf8(env, characters, NAPI_AUTO_LENGTH, &value);
  return value;
}

static napi_value called_back(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  prof_bytecode_calibrate(__builtin_frame_address(0), 0, &layout);
  return NULL;
}

static napi_value attach(napi_env env, napi_callback_info info) {
  struct prof_error error;
  napi_value out, source, function, callback, global, value;
  (void)info;
  space = prof_space_create();
  prof_arena_init(&names, 0);
  unwind.rows = prof_rows_create(&error);
  unwind.scan = true;
  if (!unwind.rows || prof_jit_start(&error) || steps_install(&unwind)) {
    napi_throw_error(env, NULL, error.message);
    return NULL;
  }
  prof_bytecode_watch_start();
  prof_jit_attach_isolate();
  napi_create_string_utf8(env, prof_bytecode_script(), NAPI_AUTO_LENGTH, &source);
  napi_run_script(env, source, &function);
  napi_create_function(env, NULL, 0, called_back, NULL, &callback);
  napi_get_global(env, &global);
  napi_call_function(env, global, function, 1, &callback, NULL);
  prof_bytecode_watch_end();
  prof_memory_live(&memory);
  publish_map();
  napi_create_array(env, &out);
  const double numbers[] = {layout.slot, layout.header, layout.proven};
  for (int i = 0; i < 3; i++) {
    napi_create_double(env, numbers[i], &value);
    push(env, out, value);
  }
  return out;
}

/* [kind, name] of one word; bytecode: the word behind it, 0 none. */
static napi_value named(napi_env env, uint64_t word, uint64_t bytecode) {
  struct prof_place place;
  struct prof_v8name name;
  const struct prof_code *code = NULL;
  uint64_t address = PROF_WORD_VALUE(word);
  napi_value pair;
  Dl_info info = {0};
  char spelled[512];
  if (PROF_WORD_KIND(bytecode) == PROF_WORD_BYTECODE) {
    uint64_t at = prof_bytecode_address(&layout, PROF_WORD_VALUE(bytecode));
    if (at && prof_space_find(space, at, &place) && place.offset == 0 &&
        prof_space_code(space, place.code)->kind == PROF_CODE_BYTECODE)
      code = prof_space_code(space, place.code);
  }
  if (!code && prof_space_find(space, address, &place))
    code = prof_space_code(space, place.code);
  napi_create_array(env, &pair);
  if (code && code->name &&
      !prof_v8name_parse(code->name, strlen(code->name), code->kind, &names, &name)) {
    snprintf(spelled, sizeof spelled, "%s", name.name);
    push(env, pair, text(env, name.is_js ? "js" : "v8"));
    push(env, pair, text(env, spelled));
    snprintf(spelled, sizeof spelled, "%u", name.tier);
    push(env, pair, text(env, spelled));
    return pair;
  }
  if (PROF_WORD_KIND(word) == PROF_WORD_GAP)
    snprintf(spelled, sizeof spelled, "[%lu bytes]", (unsigned long)address);
  else if (dladdr((void *)(uintptr_t)address, &info) && info.dli_fname)
    snprintf(spelled, sizeof spelled, "%s+%lx", info.dli_sname ? info.dli_sname : info.dli_fname,
             (unsigned long)(address - (uint64_t)(uintptr_t)(info.dli_sname ? info.dli_saddr
                                                                            : info.dli_fbase)));
  else
    snprintf(spelled, sizeof spelled, "%lx", (unsigned long)address);
  push(env, pair, text(env, info.dli_fname ? "native" : "unknown"));
  push(env, pair, text(env, spelled));
  return pair;
}

static napi_value begin(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  publish_map();
  steps_command(STEPS_BEGIN, 0);
  return NULL;
}

static napi_value stack_of(napi_env env, const uint64_t *from) {
  napi_value out;
  napi_create_array(env, &out);
  for (int i = 0; i < STEPS_CONTEXT && from[i]; i++)
    push(env, out, named(env, from[i], 0));
  return out;
}

static napi_value end(napi_env env, napi_callback_info info) {
  const struct steps_result *r = steps_result();
  napi_value out, list;
  (void)info;
  steps_command(STEPS_END, 0);
  prof_jit_apply(UINT64_MAX, space, &names);
  napi_create_object(env, &out);
  set(env, out, "instructions", (double)r->steps);
  set(env, out, "wrong", (double)r->wrong);
  set(env, out, "leaving", (double)r->leaving);
  set(env, out, "guessed", (double)r->guessed);
  set(env, out, "recalled", (double)r->recalled);
  set(env, out, "notRecalled", (double)r->not_recalled);
  set(env, out, "rewritten", (double)r->rewritten);
  set(env, out, "jumped", (double)r->jumped);
  set(env, out, "deepest", r->deepest);
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < r->shown; i++) {
    const struct steps_wrong *wrong = &r->wrongs[i];
    napi_value row;
    napi_create_object(env, &row);
    set(env, row, "times", (double)wrong->count);
    set(env, row, "frames", wrong->got_count);
    set(env, row, "wanted", wrong->want_count);
    set(env, row, "differsAt", wrong->differs_at);
    set(env, row, "flags", wrong->flags);
    napi_set_named_property(env, row, "end", text(env, prof_walk_end_name(wrong->end)));
    napi_set_named_property(env, row, "at", named(env, wrong->pc, 0));
    set(env, row, "pc", (double)wrong->pc);
    napi_set_named_property(env, row, "got", stack_of(env, wrong->got));
    napi_set_named_property(env, row, "want", stack_of(env, wrong->want));
    push(env, list, row);
  }
  napi_set_named_property(env, out, "wrongs", list);
  return out;
}

static napi_value walk_here(napi_env env, napi_callback_info info) {
  struct prof_walk walk = {.words = words, .capacity = FRAMES};
  struct prof_regs regs;
  ucontext_t context;
  napi_value out;
  (void)info;
  publish_map();
  getcontext(&context);
  prof_context_registers(&context, &regs);
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
  napi_create_array(env, &out);
  for (uint32_t i = 0; i < walk.count; i++)
    if (PROF_WORD_KIND(words[i]) != PROF_WORD_BYTECODE)
      push(env, out, named(env, words[i], i + 1 < walk.count ? words[i + 1] : 0));
  push(env, out, text(env, prof_walk_end_name(walk.end)));
  return out;
}

/* call(f, ...arguments): JavaScript -> C -> JavaScript */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value arguments[4], global, out = NULL;
  size_t count = 4;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_global(env, &global);
  napi_call_function(env, global, arguments[0], count ? count - 1 : 0, arguments + 1, &out);
  return out;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"attach", attach}, {"begin", begin}, {"end", end}, {"walk", walk_here}, {"call", call}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, NULL, 0, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
