#include "code/jit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "code/bytecode.h"
#include "code/jitmap.h"
#include "code/jitqueue.h"
#include "code/v8name.h"

/* v8::JitCodeEvent as include/v8-callbacks.h lays it out. The types are those of jitqueue.h; line
 * information has numbers above. */
struct v8_event {
  int type, code_type;
  void *code_start;
  size_t code_bytes;
  void *script, *user_data, *wasm_source_info;
  union {
    struct {
      const char *text;
      size_t bytes;
    } name;
    struct {
      size_t offset, position;
      int position_type;
    } line;
    void *new_start;
  };
  void *isolate;
};
_Static_assert(sizeof(struct v8_event) == 80, "v8::JitCodeEvent, checked on node 18 to 26");
_Static_assert(offsetof(struct v8_event, name) == 48, "the union follows wasm_source_info");

enum { OPTION_STOP = 0, OPTION_LIST_EXISTING = 1, CODE_BYTECODE = 0, ISOLATES_MAX = 512 };

static struct {
  pthread_mutex_t lock; /* around all that is not atomic */
  struct prof_jit_v8 v8;
  struct prof_jitqueue queue;
  struct prof_jitmap map;
  struct prof_jit_stats stats;
  void *isolates[ISOLATES_MAX]; /* attached; dead workers' stay until the address comes again */
  bool is_started;
  atomic_bool is_receiving;
  atomic_uint_fast64_t lines_skipped;
} jit = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock held. The time is taken under it, so that the queue is in time order. */
static void push(struct prof_jit_record *record, const char *name, size_t name_bytes,
                 uint64_t *counter) {
  record->time_ns = prof_now_ns();
  if (prof_jitqueue_push(&jit.queue, record, name, name_bytes))
    ++*counter;
  else
    jit.stats.dropped++;
}

/* V8 calls this on isolate threads and GC helpers, at once. */
static void receive(const void *pointer) {
  const struct v8_event *event = pointer;
  struct prof_jit_record record;
  const char *name = NULL;
  size_t name_bytes = 0;
  uint64_t *counter = &jit.stats.removed;
  if (event->type > PROF_JIT_REMOVED || event->type < 0) {
    atomic_fetch_add_explicit(&jit.lines_skipped, 1, memory_order_relaxed);
    return;
  }
  if (!atomic_load_explicit(&jit.is_receiving, memory_order_relaxed))
    return;
  record = (struct prof_jit_record){.start = (uintptr_t)event->code_start,
                                    .size = event->code_bytes,
                                    .type = (uint8_t)event->type,
                                    .code_type = (uint8_t)event->code_type};
  if (event->type == PROF_JIT_ADDED) {
    name = event->name.text;
    name_bytes = name ? event->name.bytes : 0;
    counter = &jit.stats.added;
  } else if (event->type == PROF_JIT_MOVED) {
    record.to = (uintptr_t)event->new_start;
    counter = &jit.stats.moved;
  }
  pthread_mutex_lock(&jit.lock);
  if (jit.is_started) {
    push(&record, name, name_bytes, counter);
    if (event->code_type == CODE_BYTECODE)
      prof_bytecode_watch_event(event->type, name, name_bytes, record.start, record.to);
    else if (event->type == PROF_JIT_ADDED)
      prof_jitmap_builtin(&jit.map, (struct prof_text){name, name_bytes}, record.start,
                          record.size);
  }
  pthread_mutex_unlock(&jit.lock);
}

/* An addon that a worker loaded is unloaded with the worker; V8 would go on calling into it. */
static void stay_loaded(void) {
  Dl_info self;
  if (dladdr((void *)(uintptr_t)receive, &self) && self.dli_fname)
    (void)dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

int prof_jit_start_with(const struct prof_jit_v8 *v8, struct prof_error *error) {
  int status = PROF_OK;
  pthread_mutex_lock(&jit.lock);
  if (jit.is_started) {
    status = prof_error_set(error, PROF_BUSY, 0, NULL, "V8's code events are received already");
  } else {
    jit.v8 = *v8;
    prof_jitqueue_free(&jit.queue);
    prof_jitqueue_init(&jit.queue, PROF_JIT_QUEUE_BYTES);
    prof_jitmap_init(&jit.map, (uintptr_t)v8->set_handler);
    jit.stats = (struct prof_jit_stats){0};
    memset(jit.isolates, 0, sizeof jit.isolates);
    atomic_store(&jit.lines_skipped, 0);
    jit.is_started = true;
    atomic_store(&jit.is_receiving, true);
  }
  pthread_mutex_unlock(&jit.lock);
  return status;
}

int prof_jit_start(struct prof_error *error) {
  static const char get_current[] = "_ZN2v87Isolate10GetCurrentEv";
  static const char set_handler[] = "_ZN2v87Isolate22SetJitCodeEventHandlerENS_"
                                    "19JitCodeEventOptionsEPFvPKNS_12JitCodeEventEE";
  void *functions[2] = {dlsym(RTLD_DEFAULT, get_current), dlsym(RTLD_DEFAULT, set_handler)};
  struct prof_jit_v8 v8;
  if (!functions[0] || !functions[1])
    return prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, 0, "dlsym",
                          "this node does not export V8's code events: run it with "
                          "--perf-basic-prof to have JavaScript functions named");
  _Static_assert(sizeof v8 == sizeof functions, "POSIX: a function fits a void pointer");
  memcpy(&v8, functions, sizeof v8);
  stay_loaded();
  return prof_jit_start_with(&v8, error);
}

/* With the lock held: the slot of isolate, or a free one, or NULL. */
static void **isolate_slot(void *isolate) {
  void **slot = NULL;
  for (int i = 0; i < ISOLATES_MAX; i++) {
    if (jit.isolates[i] == isolate)
      return &jit.isolates[i];
    if (!slot && !jit.isolates[i])
      slot = &jit.isolates[i];
  }
  return slot;
}

/* Copies of the builtins must be known before the builtins' events arrive. */
static void update_copies(void) {
  struct prof_jitmap fresh;
  pthread_mutex_lock(&jit.lock);
  fresh = jit.map;
  pthread_mutex_unlock(&jit.lock);
  if (!prof_jitmap_read_copies(&fresh))
    return;
  pthread_mutex_lock(&jit.lock);
  for (uint32_t i = 0; i < fresh.copy_count; i++) {
    const struct prof_v8blob_copy *copy = &fresh.copies[i];
    struct prof_jit_record record = {.start = copy->start,
                                     .size = copy->end - copy->start,
                                     .to = copy->image,
                                     .type = PROF_JIT_ALIAS};
    if (!prof_jitmap_has_copy(&jit.map, copy))
      push(&record, NULL, 0, &(uint64_t){0});
  }
  memcpy(jit.map.copies, fresh.copies, sizeof jit.map.copies);
  jit.map.copy_count = fresh.copy_count;
  pthread_mutex_unlock(&jit.lock);
}

int prof_jit_attach_isolate(void) {
  void *isolate, **slot;
  if (!atomic_load(&jit.is_receiving))
    return PROF_NOT_RUNNING;
  isolate = jit.v8.get_current();
  if (!isolate)
    return PROF_NOT_RUNNING;
  update_copies();
  pthread_mutex_lock(&jit.lock);
  slot = isolate_slot(isolate);
  if (slot && *slot != isolate) {
    *slot = isolate;
    jit.stats.isolates++;
  }
  pthread_mutex_unlock(&jit.lock);
  /* without the lock: the listing comes through receive(), on this thread */
  jit.v8.set_handler(isolate, OPTION_LIST_EXISTING, receive);
  return PROF_OK;
}

void prof_jit_detach_isolate(void) {
  void *isolate, **slot;
  struct prof_jit_v8 v8;
  pthread_mutex_lock(&jit.lock);
  v8 = jit.v8; /* kept after stop, for isolates that detach later */
  pthread_mutex_unlock(&jit.lock);
  isolate = v8.get_current ? v8.get_current() : NULL;
  if (!isolate)
    return;
  v8.set_handler(isolate, OPTION_STOP, NULL);
  pthread_mutex_lock(&jit.lock);
  slot = isolate_slot(isolate);
  if (slot && *slot == isolate) {
    *slot = NULL;
    jit.stats.isolates--;
  }
  pthread_mutex_unlock(&jit.lock);
}

void prof_jit_stop(void) {
  atomic_store(&jit.is_receiving, false);
  pthread_mutex_lock(&jit.lock);
  jit.is_started = false;
  pthread_mutex_unlock(&jit.lock);
}

void prof_jit_drop(void) {
  pthread_mutex_lock(&jit.lock);
  if (!jit.is_started)
    prof_jitqueue_free(&jit.queue);
  pthread_mutex_unlock(&jit.lock);
}

/* The record as a code object; false where it says nothing new. */
static bool describe(const struct prof_jit_record *record, struct prof_space *space,
                     struct prof_code *code) {
  struct prof_place place;
  const struct prof_code *there = NULL;
  *code = (struct prof_code){
      .start = prof_space_canonical(space, record->start), .size = record->size, .module = -1};
  prof_v8name_classify(record->name, record->name_bytes, record->code_type, &code->kind,
                       &code->tier);
  if (prof_space_find(space, code->start, &place) && place.offset == 0)
    there = prof_space_code(space, place.code);
  if (!there || there->start != code->start || there->size != code->size || !there->name)
    return true;
  /* V8 lists a function without code of its own ("JS: :1:1") at the builtin that stands for it */
  if (there->kind == PROF_CODE_BUILTIN && code->kind == PROF_CODE_JIT)
    return false;
  return there->kind != code->kind || strlen(there->name) != record->name_bytes ||
         memcmp(there->name, record->name, record->name_bytes) != 0;
}

/* false: no memory for it. */
static bool apply(const struct prof_jit_record *record, struct prof_space *space,
                  struct prof_arena *names) {
  struct prof_code code;
  struct prof_place place;
  switch (record->type) {
  case PROF_JIT_ADDED:
    if (record->size == 0 || !describe(record, space, &code))
      return true;
    code.name = prof_arena_copy_text(names, record->name, record->name_bytes);
    return code.name && prof_space_add(space, &code) != PROF_CODE_NONE;
  case PROF_JIT_MOVED:
    prof_space_move(space, record->start, record->to);
    return true;
  case PROF_JIT_REMOVED:
    if (prof_space_find(space, record->start, &place) &&
        prof_space_code(space, place.code)->kind != PROF_CODE_MODULE)
      prof_space_remove(space, record->start);
    return true;
  case PROF_JIT_ALIAS:
    return prof_space_alias(space, record->start, record->size, record->to) == 0;
  default:
    return true;
  }
}

size_t prof_jit_apply(uint64_t until_ns, struct prof_space *space, struct prof_arena *names) {
  size_t applied = 0;
  uint64_t failed = 0;
  const struct prof_jit_record *record = NULL;
  for (;;) {
    pthread_mutex_lock(&jit.lock);
    if (record)
      prof_jitqueue_pop(&jit.queue);
    record = prof_jitqueue_peek(&jit.queue);
    if (record && record->time_ns > until_ns)
      record = NULL;
    if (!record)
      jit.stats.dropped += failed;
    pthread_mutex_unlock(&jit.lock);
    if (!record)
      return applied;
    failed += !apply(record, space, names);
    applied++;
  }
}

bool prof_jit_v8_map(struct prof_jit_map *out) {
  bool is_known;
  pthread_mutex_lock(&jit.lock);
  is_known = prof_jitmap_compose(&jit.map, out);
  pthread_mutex_unlock(&jit.lock);
  return is_known;
}

void prof_jit_stats(struct prof_jit_stats *out) {
  pthread_mutex_lock(&jit.lock);
  *out = jit.stats;
  out->queued_bytes = jit.queue.queued_bytes;
  out->peak_bytes = jit.queue.peak_bytes;
  pthread_mutex_unlock(&jit.lock);
  out->lines_skipped = atomic_load(&jit.lines_skipped);
}
