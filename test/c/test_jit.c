/* jit, jitqueue, jitmap, v8blob, bytecode: against a V8 that the test plays itself. On real nodes:
 * test/fixtures/v8/run.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "code/bytecode.h"
#include "code/jit.h"
#include "code/jitqueue.h"

/* v8::JitCodeEvent, written down a second time: 80 bytes */
struct event {
  int type, code_type;
  uint64_t start, size, script, user_data, wasm;
  const char *text;
  size_t text_bytes;
  uint64_t unused, isolate;
};
_Static_assert(sizeof(struct event) == 80, "as V8 has it");

enum { ADDED, MOVED, REMOVED, LINE };
enum { BYTECODE, MACHINE };

typedef void handler(const void *event);
static handler *installed;
static int last_options;
static char isolates[2];
static _Thread_local void *current = &isolates[0];
static void (*to_list)(void);

static void *get_current(void) {
  return current;
}

static void set_handler(void *isolate, int options, handler *function) {
  (void)isolate;
  last_options = options;
  installed = function ? function : installed; /* V8 would forget it: the tests call on */
  if (options == 1 && to_list)
    to_list();
}

static const struct prof_jit_v8 fake_v8 = {get_current, set_handler};

/* The name is overwritten after the call, as V8's is. */
static void send(int type, int code_type, uint64_t start, uint64_t size, const char *text) {
  char name[256] = {0};
  struct event event = {.type = type, .code_type = code_type, .start = start, .size = size};
  size_t bytes = text ? strlen(text) : 0;
  memcpy(name, text ? text : "", bytes);
  event.text = name;
  event.text_bytes = bytes;
  installed(&event);
  memset(name, 'X', sizeof name);
}

static void send_moved(int code_type, uint64_t from, uint64_t to) {
  struct event event = {.type = MOVED, .code_type = code_type, .start = from};
  memcpy(&event.text, &to, sizeof to);
  installed(&event);
}

struct fixture {
  struct prof_space *space;
  struct prof_arena names;
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  to_list = NULL;
  f->space = prof_space_create();
  *state = f;
  return prof_jit_start_with(&fake_v8, NULL) || prof_jit_attach_isolate();
}

static int teardown(void **state) {
  struct fixture *f = *state;
  prof_jit_detach_isolate();
  prof_jit_stop();
  prof_jit_drop();
  prof_space_free(f->space);
  prof_arena_free(&f->names);
  free(f);
  return 0;
}

static size_t apply(struct fixture *f, uint64_t until) {
  return prof_jit_apply(until, f->space, &f->names);
}

static const struct prof_code *code_at(struct fixture *f, uint64_t address) {
  struct prof_place place;
  return prof_space_find(f->space, address, &place) ? prof_space_code(f->space, place.code) : NULL;
}

static struct prof_jit_stats stats(void) {
  struct prof_jit_stats now;
  prof_jit_stats(&now);
  return now;
}

static void events_apply_up_to_a_time(void **state) {
  struct fixture *f = *state;
  send(ADDED, MACHINE, 0x1000, 0x100, "JS:*first /a.js:1:1");
  uint64_t between = prof_now_ns();
  while (prof_now_ns() == between)
    ;
  send(ADDED, MACHINE, 0x1000, 0x80, "JS:^second /a.js:2:1");
  assert_int_equal(apply(f, 0), 0);
  assert_int_equal(apply(f, between), 1);
  assert_string_equal(code_at(f, 0x10f0)->name, "JS:*first /a.js:1:1");
  assert_int_equal(code_at(f, 0x10f0)->tier, 4);
  assert_int_equal(apply(f, between), 0);
  assert_int_equal(apply(f, UINT64_MAX), 1);
  assert_null(code_at(f, 0x10f0));
  assert_string_equal(code_at(f, 0x1000)->name, "JS:^second /a.js:2:1");
}

static void moves_and_removals_are_followed(void **state) {
  struct fixture *f = *state;
  send(ADDED, BYTECODE, 0x1000, 0x100, "JS:~f /a.js:1:1");
  send_moved(BYTECODE, 0x1000, 0x9000);
  apply(f, UINT64_MAX);
  assert_null(code_at(f, 0x1000));
  assert_int_equal(code_at(f, 0x9000)->kind, PROF_CODE_BYTECODE);
  assert_int_equal(code_at(f, 0x9000)->tier, 1);
  send(REMOVED, BYTECODE, 0x9000, 0, NULL);
  apply(f, UINT64_MAX);
  assert_null(code_at(f, 0x9000));
  struct prof_code module = {.kind = PROF_CODE_MODULE, .start = 0x20000, .size = 0x1000};
  prof_space_add(f->space, &module);
  send(REMOVED, MACHINE, 0x20000, 0, NULL);
  apply(f, UINT64_MAX);
  assert_non_null(code_at(f, 0x20000)); /* V8 does not unload modules */
  assert_int_equal(stats().added, 1);
  assert_int_equal(stats().moved, 1);
  assert_int_equal(stats().removed, 2);
}

static void line_events_are_left_at_once(void **state) {
  struct fixture *f = *state;
  for (int i = 0; i < 1000; i++)
    send(LINE + i % 3, MACHINE, 0x1000, 0x100, "no name");
  send(-1, MACHINE, 0x1000, 0x100, "no such type");
  assert_int_equal(apply(f, UINT64_MAX), 0);
  assert_int_equal(stats().lines_skipped, 1001);
}

static void what_is_listed_twice_is_one_code(void **state) {
  struct fixture *f = *state;
  size_t bytes;
  send(ADDED, MACHINE, 0x1000, 0x100, "Builtin:EmptyFunction");
  send(ADDED, BYTECODE, 0x2000, 0x100, "JS:~f /a.js:1:1");
  apply(f, UINT64_MAX);
  bytes = f->names.used_bytes;
  for (int i = 0; i < 3; i++) {
    send(ADDED, MACHINE, 0x1000, 0x100, "JS: :1:1"); /* as V8 lists it */
    send(ADDED, MACHINE, 0x1000, 0x100, "Builtin:EmptyFunction");
    send(ADDED, BYTECODE, 0x2000, 0x100, "JS:~f /a.js:1:1");
  }
  assert_int_equal(apply(f, UINT64_MAX), 9);
  assert_int_equal(prof_space_count(f->space), 4);
  assert_int_equal(f->names.used_bytes, bytes);
  assert_string_equal(code_at(f, 0x1000)->name, "Builtin:EmptyFunction");
  send(ADDED, BYTECODE, 0x2000, 0x100, "JS:~f /a.js:1:12"); /* longer name: another function */
  send(ADDED, BYTECODE, 0x2000, 0x100, "JS:~f /a.js:1:1");  /* and back */
  apply(f, UINT64_MAX);
  assert_int_equal(prof_space_count(f->space), 6);
  send(ADDED, MACHINE, 0x3000, 0, "nothing");
  apply(f, UINT64_MAX);
  assert_int_equal(prof_space_count(f->space), 6);
  assert_int_equal(stats().dropped, 0);
}

enum { THREADS = 6, EVENTS = 20000 };

static void *send_many(void *number) {
  uint64_t base = ((uint64_t)(uintptr_t)number + 1) << 32;
  for (uint64_t i = 0; i < EVENTS; i++) {
    char name[64];
    snprintf(name, sizeof name, "JS:*f%d /t.js:%d:1", (int)i, (int)(base >> 32));
    send(ADDED, MACHINE, base + i * 64, 64, name);
    if (i % 4 == 0)
      send_moved(MACHINE, base + i * 64, base + (1ull << 31) + i * 64);
    if (i % 8 == 0)
      send(LINE, MACHINE, 0, 0, NULL);
  }
  return NULL;
}

static void many_threads_send_while_one_applies(void **state) {
  struct fixture *f = *state;
  pthread_t threads[THREADS];
  size_t applied = 0, wanted = THREADS * (EVENTS + EVENTS / 4);
  for (uintptr_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, send_many, (void *)i), 0);
  while (applied < wanted)
    applied += apply(f, prof_now_ns());
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(applied, wanted);
  assert_int_equal(apply(f, UINT64_MAX), 0);
  assert_int_equal(prof_space_live(f->space), THREADS * EVENTS);
  for (uint64_t t = 1; t <= THREADS; t++)
    for (uint64_t i = 0; i < EVENTS; i++) {
      char name[64];
      const struct prof_code *code =
          code_at(f, (t << 32) + (i % 4 == 0 ? 1ull << 31 : 0) + i * 64 + 63);
      snprintf(name, sizeof name, "JS:*f%d /t.js:%d:1", (int)i, (int)t);
      assert_non_null(code);
      assert_string_equal(code->name, name);
    }
  assert_int_equal(stats().lines_skipped, THREADS * EVENTS / 8);
}

static void a_full_queue_drops_and_says_so(void **state) {
  struct fixture *f = *state;
  char *long_name = malloc(10000);
  struct event event = {.size = 1, .code_type = MACHINE, .text = long_name, .text_bytes = 10000};
  memset(long_name, 'x', 10000);
  for (int i = 0; i < 20000; i++) {
    event.start = 0x1000 + (uint64_t)i;
    installed(&event);
  }
  assert_true(stats().dropped > 0);
  assert_int_equal(stats().added + stats().dropped, 20000);
  assert_true(stats().peak_bytes <= PROF_JIT_QUEUE_BYTES);
  assert_int_equal(apply(f, UINT64_MAX), stats().added);
  assert_int_equal(strlen(code_at(f, 0x1000)->name), PROF_JIT_NAME_BYTES);
  assert_true(stats().queued_bytes < 1 << 20);
  event.start = 0x10;
  installed(&event);
  assert_int_equal(apply(f, UINT64_MAX), 1); /* there is room again */
  free(long_name);
}

static void starts_once_stops_and_starts_again(void **state) {
  struct fixture *f = *state;
  struct prof_error error;
  assert_int_equal(prof_jit_start_with(&fake_v8, &error), PROF_BUSY);
  assert_int_equal(stats().isolates, 1);
  assert_int_equal(prof_jit_attach_isolate(), PROF_OK); /* again: lists again, counted once */
  assert_int_equal(stats().isolates, 1);
  current = &isolates[1];
  assert_int_equal(prof_jit_attach_isolate(), PROF_OK);
  assert_int_equal(last_options, 1);
  assert_int_equal(stats().isolates, 2);
  prof_jit_detach_isolate();
  assert_int_equal(last_options, 0);
  prof_jit_detach_isolate();
  assert_int_equal(stats().isolates, 1);
  current = NULL;
  assert_int_equal(prof_jit_attach_isolate(), PROF_NOT_RUNNING);
  prof_jit_detach_isolate();
  current = &isolates[0];
  send(ADDED, MACHINE, 0x1000, 0x100, "JS:*f /a.js:1:1");
  prof_jit_stop();
  send(ADDED, MACHINE, 0x2000, 0x100, "JS:*g /a.js:1:1"); /* an isolate that is still attached */
  assert_int_equal(prof_jit_attach_isolate(), PROF_NOT_RUNNING);
  assert_int_equal(apply(f, UINT64_MAX), 1); /* what came before: the last samples may be in it */
  assert_non_null(code_at(f, 0x1000));
  prof_jit_drop();
  assert_int_equal(stats().queued_bytes, 0);
  assert_int_equal(prof_jit_start_with(&fake_v8, &error), PROF_OK);
  assert_int_equal(apply(f, UINT64_MAX), 0);
  assert_int_equal(prof_jit_attach_isolate(), PROF_OK);
}

static void missing_functions_are_an_error_that_helps(void **state) {
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_jit_start(&error), PROF_UNSUPPORTED_PLATFORM);
  assert_non_null(strstr(error.message, "--perf-basic-prof"));
}

/* /proc/self/maps of node 20 with one worker, shortened */
static char node20_maps[] =
    "00400000-00b6f000 r--p 00000000 fe:00 10961024      /n/node\n"
    "00b72000-025fe000 r-xp 00772000 fe:00 10961024      /n/node\n"
    "02601000-0563a000 r--p 02201000 fe:00 10961024      /n/node\n"
    "156f25450000-156f25451000 rwxp 00000000 00:00 0 \n"
    "7f57d3e40000-7f57d3fd2000 r-xp 014c4000 fe:00 10961024   /n/node\n"
    "7f57ec003000-7f57ec03f000 rwxp 00000000 00:00 0 \n"
    "7f57ef000000-7f57ef192000 r-xp 014c4000 fe:01 10961024   /another/file/same/inode\n"
    "7f57f0000000-7f57f0192000 r--p 014c4000 fe:00 10961024   /n/node\n"
    "garbage\n"
    "7f580be40000-7f580bfd2000 r-xp 014c4000 fe:00 10961024   /n/node";

static void copies_of_the_builtins_are_found_in_maps(void **state) {
  const struct prof_v8blob_image image = {0x400000, 0x565e000, 0x1000000};
  struct prof_v8blob_copy copies[4];
  (void)state;
  assert_int_equal(prof_v8blob_copies(node20_maps, &image, copies, 4), 2);
  assert_int_equal(copies[0].start, 0x7f57d3e40000);
  assert_int_equal(copies[0].end, 0x7f57d3fd2000);
  assert_int_equal(copies[0].image, 0x18c4000);
  assert_int_equal(copies[1].start, 0x7f580be40000);
  assert_int_equal(prof_v8blob_copies(node20_maps, &image, copies, 1), 1);
  assert_int_equal(prof_v8blob_copies((char[]){""}, &image, copies, 4), 0);
  const struct prof_v8blob_image other = {0x400000, 0x565e000, 0x99999999};
  assert_int_equal(prof_v8blob_copies(node20_maps, &other, copies, 4), 0);
  for (size_t cut = 0; cut < sizeof node20_maps; cut++) {
    char *exact = malloc(cut + 1);
    memcpy(exact, node20_maps, cut);
    exact[cut] = '\0';
    assert_true(prof_v8blob_copies(exact, &image, copies, 4) <= 2);
    free(exact);
  }
}

static uint64_t image_builtin;

static void list_builtins(void) {
  send(ADDED, MACHINE, image_builtin, 16, "Builtin:InterpreterEntryTrampoline");
  send(ADDED, MACHINE, image_builtin + 32, 8, "BytecodeHandler:LdaSmiHandler");
}

/* Maps a part of this program's code a second time, as V8 does with node's. */
static void builtins_and_their_live_copy_are_one_code(void **state) {
  struct fixture *f = *state;
  struct prof_jit_map *map = malloc(sizeof *map);
  FILE *maps = fopen("/proc/self/maps", "r");
  int exe = open("/proc/self/exe", O_RDONLY);
  char line[512], *copy = MAP_FAILED;
  uint64_t start, end, offset, self = (uintptr_t)set_handler;
  while (copy == MAP_FAILED && fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx r-xp %lx", &start, &end, &offset) == 3 && start <= self && self < end)
      copy = mmap(NULL, end - start, PROT_READ | PROT_EXEC, MAP_PRIVATE, exe, (off_t)offset);
  fclose(maps);
  close(exe);
  assert_true(copy != MAP_FAILED);
  assert_false(prof_jit_v8_map(map)); /* no builtin yet */
  image_builtin = start + 0x40;
  to_list = list_builtins;
  assert_int_equal(prof_jit_attach_isolate(), PROF_OK);
  to_list = NULL;
  send(ADDED, MACHINE, (uintptr_t)copy + 0x40, 16, "Builtin:InterpreterEntryTrampoline");
  apply(f, UINT64_MAX);
  assert_non_null(code_at(f, image_builtin));
  assert_ptr_equal(code_at(f, image_builtin), code_at(f, (uintptr_t)copy + 0x40 + 15));
  assert_int_equal(code_at(f, (uintptr_t)copy + 0x60)->kind, PROF_CODE_HANDLER);
  assert_int_equal(prof_space_count(f->space), 4);
  assert_true(prof_jit_v8_map(map));
  assert_int_equal(map->blob.start, image_builtin);
  assert_int_equal(map->blob.end, image_builtin + 40);
  assert_int_equal(map->copy_count, 1);
  assert_int_equal(map->copies[0].start, (uintptr_t)copy);
  assert_int_equal(map->copies[0].image, start);
  assert_int_equal(map->interpreter_count, 2);
  /* reported in the image and, last, in the copy: that is the one that runs */
  assert_int_equal(map->interpreter[0].start, (uintptr_t)copy + 0x40);
  assert_int_equal(map->interpreter[1].start, image_builtin);
  munmap(copy, end - start);
  assert_int_equal(prof_jit_attach_isolate(), PROF_OK); /* a worker ended: its copy is forgotten */
  assert_true(prof_jit_v8_map(map));
  assert_int_equal(map->copy_count, 0);
  assert_int_equal(map->interpreter_count, 1);
  free(map);
}

static void entries_after_a_deoptimisation_are_interpreter_too(void **state) {
  struct prof_jit_map *map = malloc(sizeof *map);
  (void)state;
  send(ADDED, MACHINE, 0x1000, 0xf0, "Builtin:InterpreterEntryTrampoline");
  send(ADDED, MACHINE, 0x1100, 0xf0, "Builtin:InterpreterEntryTrampolineForProfiling");
  send(ADDED, MACHINE, 0x1f00, 0x40, "Builtin:InterpreterPushArgsThenConstructWithFinalSpread");
  send(ADDED, MACHINE, 0x2200, 0x40, "Builtin:InterpreterOnStackReplacement");
  assert_true(prof_jit_v8_map(map));
  assert_int_equal(map->interpreter_count, 2); /* neighbours are one; node 18's unreported pair */
  assert_int_equal(map->interpreter[0].start, 0x1000);
  assert_int_equal(map->interpreter[0].end, 0x11f0);
  assert_int_equal(map->interpreter[1].start, 0x1f40);
  assert_int_equal(map->interpreter[1].end, 0x21ff);
  send(ADDED, MACHINE, 0x2000, 0x50, "Builtin:InterpreterEnterAtBytecode");
  send(ADDED, MACHINE, 0x2080, 0xd0, "Builtin:InterpreterEnterAtNextBytecode");
  assert_true(prof_jit_v8_map(map));
  assert_int_equal(map->interpreter_count, 2);
  assert_int_equal(map->interpreter[1].start, 0x1fff); /* returned to at 0x2000, less one */
  assert_int_equal(map->interpreter[1].end, 0x2150);
  free(map);
}

/* A stack as it is below a callback: leavings, then callee, then the function's frame. */
static void the_known_function_is_found_on_a_stack(void **state) {
  enum { WORDS = 64, CALLEE = 20, FRAME = 30, SLOT = -4 };
  struct prof_jit_map *map = calloc(1, sizeof *map);
  struct prof_bytecode_layout layout;
  uint64_t words[WORDS] = {0}, object = 0x2aeab8e307c0;
  const uint64_t starts[] = {0x111111, object + 0x36};
  (void)state;
  map->interpreter[0] = (struct prof_v8_range){0x1000, 0x1100};
  map->interpreter_count = 1;
  words[5] = (uintptr_t)words + (WORDS + 9) * sizeof *words; /* leads out of the stack */
  words[6] = 0x1050;
  words[8] = (uintptr_t)&words[12]; /* right pair, but no bytecode in that frame */
  words[9] = 0x1050;
  words[10] = object; /* not tagged */
  words[CALLEE] = (uintptr_t)&words[FRAME];
  words[CALLEE + 1] = 0x10d0;
  words[FRAME + SLOT] = object + 1;
  assert_true(prof_bytecode_search(words, WORDS, map, starts, 2, &layout));
  assert_int_equal(layout.slot, SLOT);
  assert_int_equal(layout.header, 0x36);
  assert_true(layout.proven);
  assert_int_equal(prof_bytecode_address(&layout, object + 1), object + 0x36);
  assert_int_equal(prof_bytecode_address(&layout, object), 0);
  assert_int_equal(prof_bytecode_address(&layout, object + 3), 0);           /* a weak reference */
  assert_false(prof_bytecode_search(words, FRAME, map, starts, 2, &layout)); /* cut before it */
  assert_false(prof_bytecode_search(words, WORDS, map, starts, 1, &layout));
  words[CALLEE + 1] = 0x1101;
  assert_false(prof_bytecode_search(words, WORDS, map, starts, 2, &layout));
  words[CALLEE + 1] = 0x1100; /* the end itself is a return address */
  assert_true(prof_bytecode_search(words, WORDS, map, starts, 2, &layout));
  words[FRAME + SLOT] = object - 0x100 + 1; /* no plausible header */
  assert_false(prof_bytecode_search(words, WORDS, map, starts, 2, &layout));
  free(map);
}

static void calibrates_by_events_also_when_the_function_moved(void **state) {
  struct prof_bytecode_layout layout;
  uint64_t object = 0x2aeab8e307c0;
  volatile uint64_t words[16] = {0};
  (void)state;
  send(ADDED, MACHINE, 0x1000, 0x100, "Builtin:InterpreterEntryTrampoline");
  prof_bytecode_watch_start();
  send(ADDED, BYTECODE, 0x999940, 0x10, "JS:~rspackProfCalibration :1:31");
  send_moved(BYTECODE, 0x999940, object + 0x40);
  prof_bytecode_watch_end();
  send(ADDED, BYTECODE, 0x5000, 0x10, "JS:~rspackProfCalibration :1:31"); /* no longer watched */
  words[0] = (uintptr_t)&words[12];
  words[1] = 0x1050;
  words[9] = object + 1;
  assert_true(prof_bytecode_calibrate((const void *)words, sizeof words, &layout));
  assert_int_equal(layout.slot, -3);
  assert_int_equal(layout.header, 0x40);
  assert_false(prof_bytecode_calibrate((const void *)words, 64, &layout));
  assert_false(layout.proven);
  assert_non_null(strstr(prof_bytecode_script(), "rspackProfCalibration(callback)"));
}

static void versions_have_a_layout_known_or_near(void **state) {
  static const struct {
    const char *version;
    uint32_t header;
    bool is_known;
  } rows[] = {{"10.2.154.26-node.39", 0x38, true},
              {"11.3.244.8-node.38", 0x36, true},
              {"12.4.254.21-node.57", 0x40, true},
              {"13.6.233.17-node.53", 0x40, true},
              {"14.6.202.34-node.34", 0x40, true},
              {"15.0.1", 0x40, false},
              {"11.8.172.17-node.1", 0x36, false},
              {"9.4.146.26-node.26", 0x38, false},
              {"", 0x38, false},
              {NULL, 0x38, false}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct prof_bytecode_layout layout;
    assert_int_equal(prof_bytecode_from_version(rows[i].version, &layout), rows[i].is_known);
    assert_int_equal(layout.header, rows[i].header);
    assert_int_equal(layout.slot, -4);
    assert_false(layout.proven);
  }
}

static void costs_little(void **state) {
  struct fixture *f = *state;
  enum { COUNT = 100000 };
  uint64_t start = prof_now_ns(), sent, lines, applied;
  for (uint64_t i = 0; i < COUNT; i++)
    send(ADDED, MACHINE, 0x7f0000000000 + i * 512, 500,
         "JS:*someFunction /app/node_modules/some-package/lib/some-file.js:123:45");
  sent = prof_now_ns();
  for (uint64_t i = 0; i < COUNT; i++)
    send(LINE, MACHINE, 0, 0, NULL);
  lines = prof_now_ns();
  assert_int_equal(apply(f, UINT64_MAX), COUNT);
  applied = prof_now_ns();
  print_message("bench: an event %.0f ns, a line event %.0f ns (both with the test's own 256-byte "
                "name), applied %.2f M/s, names %zu KB\n",
                (double)(sent - start) / COUNT, (double)(lines - sent) / COUNT,
                COUNT * 1e3 / (double)(applied - lines), f->names.total_bytes >> 10);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(events_apply_up_to_a_time),
      TEST(moves_and_removals_are_followed),
      TEST(line_events_are_left_at_once),
      TEST(what_is_listed_twice_is_one_code),
      TEST(many_threads_send_while_one_applies),
      TEST(a_full_queue_drops_and_says_so),
      TEST(starts_once_stops_and_starts_again),
      TEST(builtins_and_their_live_copy_are_one_code),
      TEST(entries_after_a_deoptimisation_are_interpreter_too),
      TEST(calibrates_by_events_also_when_the_function_moved),
      TEST(costs_little),
      cmocka_unit_test(missing_functions_are_an_error_that_helps),
      cmocka_unit_test(copies_of_the_builtins_are_found_in_maps),
      cmocka_unit_test(the_known_function_is_found_on_a_stack),
      cmocka_unit_test(versions_have_a_layout_known_or_near),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
