#include "addon/system.h"

#include <stdlib.h>

#include "addon/arguments.h"
#include "addon/options.h"
#include "addon/raw.h"
#include "addon/values.h"
#include "perf/choose.h"
#include "session/census.h"
#include "session/system.h"

/* Of the thread that called systemStart(); a worker thread has no use for it. */
static struct prof_system *active;

napi_value prof_system_begin(napi_env env, napi_callback_info info) {
  napi_value argument = prof_options_argument(env, info), result;
  char path[PATH_MAX] = "";
  struct prof_session_options asked = {0};
  struct prof_error error = {0};
  if (active)
    return prof_value_throw_with(env, PROF_BUSY,
                                 "all processes are recorded already: stop that first");
  if (!argument || !prof_option_text(env, argument, "path", path, sizeof path) ||
      !prof_options_read(env, argument, &asked))
    return NULL;
  const struct prof_system_options options = {
      .path = path,
      .event = asked.event[0] ? asked.event : NULL,
      .cpus = asked.cpus,
      .frequency = asked.frequency,
      .period_events = asked.period_events,
      .call_graph =
          asked.call_graph == PROF_CALL_GRAPH_NONE ? PROF_CALL_GRAPH_NONE : PROF_CALL_GRAPH_DWARF,
      .stack_bytes = asked.stack_bytes,
      .ring_bytes = asked.ring_bytes,
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
  struct prof_error error = {0};
  (void)info;
  if (!active)
    return prof_value_throw_with(env, PROF_NOT_RUNNING,
                                 "nothing is recorded: call systemStart() first");
  int status = prof_system_stop(active, &error);
  active = NULL;
  return status ? prof_value_throw(env, &error) : prof_value_undefined(env);
}

napi_value prof_perf_data_processes(napi_env env, napi_callback_info info) {
  napi_value argument, array;
  size_t count = 1, rows_count;
  char path[PATH_MAX];
  struct prof_census_row *rows;
  struct prof_error error = {0};
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
      !prof_argument_path(env, argument, path))
    return NULL;
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
