#include "addon/system.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "addon/raw.h"
#include "addon/values.h"
#include "perf/choose.h"
#include "session/census.h"
#include "session/system.h"

/* Of the thread that called systemStart(); a worker thread has no use for it. */
static struct prof_system *active;

/* What is missing or of another type leaves what is set: lib/options.js has checked. */
static void read_text(napi_env env, napi_value object, const char *name, char *out, size_t size) {
  napi_value value;
  size_t length;
  if (napi_get_named_property(env, object, name, &value) == napi_ok)
    napi_get_value_string_utf8(env, value, out, size, &length);
}

static double read_number(napi_env env, napi_value object, const char *name) {
  napi_value value;
  double number = 0;
  if (napi_get_named_property(env, object, name, &value) == napi_ok)
    napi_get_value_double(env, value, &number);
  return number;
}

napi_value prof_system_begin(napi_env env, napi_callback_info info) {
  napi_value argument, result;
  size_t count = 1;
  char path[PATH_MAX] = "", event[256] = "", cpus[256] = "", graph[16] = "";
  struct prof_error error = {0};
  if (active) {
    prof_error_set(&error, PROF_BUSY, 0, NULL,
                   "all processes are recorded already: stop that first");
    return prof_value_throw(env, &error);
  }
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1)
    return NULL;
  read_text(env, argument, "path", path, sizeof path);
  read_text(env, argument, "event", event, sizeof event);
  read_text(env, argument, "cpus", cpus, sizeof cpus);
  read_text(env, argument, "callGraph", graph, sizeof graph);
  const struct prof_system_options options = {
      .path = path,
      .event = event[0] ? event : NULL,
      .cpus = cpus,
      .frequency = (uint32_t)read_number(env, argument, "frequency"),
      .period_events = (uint64_t)read_number(env, argument, "period"),
      .call_graph = strcmp(graph, "none") == 0 ? PROF_CALL_GRAPH_NONE : PROF_CALL_GRAPH_DWARF,
      .stack_bytes = (uint32_t)read_number(env, argument, "stackBytes") & ~7u,
      .ring_bytes = (size_t)read_number(env, argument, "ringBytes"),
  };
  if (prof_system_start(&options, &active, &error))
    return prof_value_throw(env, &error);
  const struct prof_plan *plan = prof_system_plan(active);
  if (napi_create_object(env, &result) != napi_ok)
    return NULL;
  prof_value_set_text(env, result, "event", plan->event.name);
  prof_value_set_number(env, result, "frequency", plan->frequency);
  prof_value_set(env, result, "warnings", prof_raw_notes(env, plan->notes, plan->note_count));
  return result;
}

napi_value prof_system_end(napi_env env, napi_callback_info info) {
  napi_value value;
  struct prof_error error = {0};
  (void)info;
  if (!active) {
    prof_error_set(&error, PROF_NOT_RUNNING, 0, NULL,
                   "nothing is recorded: call systemStart() first");
    return prof_value_throw(env, &error);
  }
  int status = prof_system_stop(active, &error);
  active = NULL;
  if (status)
    return prof_value_throw(env, &error);
  return napi_get_undefined(env, &value) == napi_ok ? value : NULL;
}

napi_value prof_perf_data_processes(napi_env env, napi_callback_info info) {
  napi_value argument, array;
  size_t count = 1, length, rows_count;
  char path[PATH_MAX] = "";
  struct prof_census_row *rows;
  struct prof_error error = {0};
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == napi_ok && count)
    napi_get_value_string_utf8(env, argument, path, sizeof path, &length);
  if (prof_census_file(path, &rows, &rows_count, &error)) {
    free(rows);
    return prof_value_throw(env, &error);
  }
  bool ok = napi_create_array(env, &array) == napi_ok;
  for (size_t i = 0; ok && i < rows_count; i++) {
    napi_value row;
    ok = napi_create_object(env, &row) == napi_ok;
    if (!ok)
      break;
    prof_value_set_number(env, row, "pid", rows[i].pid);
    prof_value_set_number(env, row, "samples", (double)rows[i].samples);
    ok = napi_set_element(env, array, (uint32_t)i, row) == napi_ok;
  }
  free(rows);
  return ok ? array : NULL;
}
