#include "addon/stat.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "addon/arguments.h"
#include "addon/raw.h"
#include "addon/values.h"
#include "perf/count.h"
#include "perf/cpus.h"
#include "perf/event.h"
#include "perf/events.h"

/* Tells our handles from other objects. */
static const napi_type_tag TAG = {0x7270726f6673746full, 0x9d1b6c52aa30e841ull};

/* What a handle points at: closing leaves it empty. */
struct holder {
  struct prof_count *count;
};

static void release(napi_env env, void *data, void *hint) {
  struct holder *holder = data;
  (void)env;
  (void)hint;
  prof_count_close(holder->count);
  free(holder);
}

static enum prof_count_scope scope_of(const char *text) {
  static const char *const NAMES[] = {[PROF_COUNT_SELF] = "self",
                                      [PROF_COUNT_COMMAND] = "command",
                                      [PROF_COUNT_PROCESS] = "process",
                                      [PROF_COUNT_CPUS] = "cpus"};
  for (int i = 0; i < 4; i++)
    if (!strcmp(text, NAMES[i]))
      return (enum prof_count_scope)i;
  return PROF_COUNT_SELF;
}

static napi_value event_rows(napi_env env, const struct prof_count *count) {
  napi_value array, object;
  if (napi_create_array(env, &array) != napi_ok)
    return NULL;
  for (size_t i = 0; i < prof_count_size(count); i++) {
    const struct prof_count_event *event = prof_count_event(count, i);
    const char *generic = prof_event_generic(event->event.type, event->event.config);
    if (napi_create_object(env, &object) != napi_ok)
      return NULL;
    prof_value_set_text(env, object, "name", event->requested);
    prof_value_set_text(env, object, "event", event->event.name);
    prof_value_set_text(env, object, "generic", generic ? generic : "");
    prof_value_set_text(env, object, "unit", event->event.unit);
    prof_value_set_number(env, object, "group", event->group);
    prof_value_set_text(env, object, "reason", event->reason);
    napi_set_element(env, array, (uint32_t)i, object);
  }
  return array;
}

static napi_value create_handle(napi_env env, struct prof_count *count) {
  struct holder *holder = calloc(1, sizeof *holder);
  napi_value handle = NULL;
  if (!holder) {
    prof_count_close(count);
    return NULL;
  }
  holder->count = count;
  if (napi_create_object(env, &handle) != napi_ok ||
      napi_type_tag_object(env, handle, &TAG) != napi_ok ||
      napi_wrap(env, handle, holder, release, NULL, NULL) != napi_ok) {
    release(env, holder, NULL);
    return NULL;
  }
  return handle;
}

/* countOpen({ events, scope, optional, pid, cpus }) -> { handle, events, warnings } */
static napi_value count_open(napi_env env, napi_callback_info info) {
  char events[PROF_EVENTS_TEXT] = "", scope[16] = "", cpus[PROF_CPUS_TEXT] = "";
  napi_value options, result;
  size_t argument_count = 1;
  struct prof_count *count;
  struct prof_error error = {0};
  double pid = 0;
  bool optional = false;
  if (napi_get_cb_info(env, info, &argument_count, &options, NULL, NULL) != napi_ok ||
      !prof_option_text(env, options, "events", events, sizeof events) ||
      !prof_option_text(env, options, "scope", scope, sizeof scope) ||
      !prof_option_text(env, options, "cpus", cpus, sizeof cpus) ||
      !prof_option_flag(env, options, "optional", &optional) ||
      !prof_option_number(env, options, "pid", 0, INT32_MAX, &pid))
    return NULL;
  struct prof_count_options wanted = {.events = events,
                                      .scope = scope_of(scope),
                                      .optional = optional,
                                      .pid = (int)pid,
                                      .cpus = cpus};
  if (prof_count_open(&prof_os_real, &wanted, &count, &error))
    return prof_value_throw(env, &error);
  napi_value rows = event_rows(env, count);
  int note_count;
  const struct prof_plan_note *notes = prof_count_notes(count, &note_count);
  napi_value warnings = prof_raw_notes(env, notes, note_count);
  napi_value handle = create_handle(env, count);
  if (!handle || napi_create_object(env, &result) != napi_ok)
    return NULL;
  prof_value_set(env, result, "handle", handle);
  prof_value_set(env, result, "events", rows);
  prof_value_set(env, result, "warnings", warnings);
  return result;
}

/* The handle in arguments[0]; NULL with an exception pending. */
static struct holder *holder_of(napi_env env, napi_callback_info info, napi_value *arguments,
                                size_t count) {
  struct holder *holder = NULL;
  bool is_ours = false;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count &&
      napi_check_object_type_tag(env, arguments[0], &TAG, &is_ours) == napi_ok && is_ours)
    napi_unwrap(env, arguments[0], (void **)&holder);
  if (holder && holder->count)
    return holder;
  prof_value_throw_with(env, PROF_NOT_RUNNING, "these counters are closed");
  return NULL;
}

static napi_value count_enable(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct holder *holder = holder_of(env, info, arguments, 1);
  if (!holder)
    return NULL;
  prof_count_enable(holder->count);
  return prof_value_undefined(env);
}

static napi_value count_disable(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct holder *holder = holder_of(env, info, arguments, 1);
  if (!holder)
    return NULL;
  prof_count_disable(holder->count);
  return prof_value_undefined(env);
}

/* countRead(handle, ending) -> Float64Array of value, enabledNs, runningNs for each event */
static napi_value count_read(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {NULL, NULL}, buffer, array;
  struct prof_count_value values[PROF_EVENTS_MAX];
  struct holder *holder = holder_of(env, info, arguments, 2);
  bool ending = false;
  void *bytes;
  if (!holder)
    return NULL;
  size_t size = prof_count_size(holder->count), words = size * 3;
  if (arguments[1])
    napi_get_value_bool(env, arguments[1], &ending);
  /* Made before the reading that begins an interval, which then ends right after it. */
  if (napi_create_arraybuffer(env, words * sizeof(double), &bytes, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, words, buffer, 0, &array) != napi_ok)
    return NULL;
  prof_count_read(holder->count, ending, values);
  double *out = bytes;
  for (size_t i = 0; i < size; i++) {
    *out++ = (double)values[i].value;
    *out++ = (double)values[i].enabled_ns;
    *out++ = (double)values[i].running_ns;
  }
  return array;
}

static napi_value count_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct holder *holder = holder_of(env, info, arguments, 1);
  if (!holder)
    return NULL;
  prof_count_close(holder->count);
  holder->count = NULL;
  return prof_value_undefined(env);
}

static double milliseconds(struct timeval time) {
  return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

/* childrenUsage() -> { userMs, systemMs } of all children that have ended and been waited for */
static napi_value children_usage(napi_env env, napi_callback_info info) {
  struct rusage usage;
  napi_value result;
  (void)info;
  memset(&usage, 0, sizeof usage);
  getrusage(RUSAGE_CHILDREN, &usage);
  if (napi_create_object(env, &result) != napi_ok)
    return NULL;
  prof_value_set_number(env, result, "userMs", milliseconds(usage.ru_utime));
  prof_value_set_number(env, result, "systemMs", milliseconds(usage.ru_stime));
  return result;
}

void prof_stat_register(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"countOpen", count_open}, {"countEnable", count_enable}, {"countDisable", count_disable},
      {"countRead", count_read}, {"countClose", count_close},   {"childrenUsage", children_usage},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                             &function) == napi_ok)
      prof_value_set(env, exports, functions[i].name, function);
  }
}
