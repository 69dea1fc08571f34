#include "addon/machine.h"

#include <malloc.h>

#include "addon/arguments.h"
#include "addon/raw.h"
#include "addon/values.h"
#include "perf/choose.h"
#include "perf/cpus.h"
#include "perf/events.h"
#include "perf/extras.h"
#include "perf/list.h"

struct listing {
  napi_env env;
  napi_value array;
  uint32_t count;
};

static void push_event(void *user, const struct prof_event_row *row) {
  struct listing *listing = user;
  napi_value object;
  if (napi_create_object(listing->env, &object) != napi_ok)
    return;
  prof_value_set_text(listing->env, object, "name", row->name);
  prof_value_set_text(listing->env, object, "type", row->type);
  prof_value_set_text(listing->env, object, "description", row->description);
  prof_value_set_bool(listing->env, object, "form", row->is_form);
  prof_value_set_bool(listing->env, object, "available", row->available);
  prof_value_set_text(listing->env, object, "reason", row->reason);
  napi_set_element(listing->env, listing->array, listing->count++, object);
}

napi_value prof_machine_events(napi_env env, napi_callback_info info) {
  (void)info;
  struct listing listing = {.env = env};
  if (napi_create_array(env, &listing.array) != napi_ok)
    return NULL;
  prof_event_list(&prof_os_real, push_event, &listing);
  return listing.array;
}

napi_value prof_machine_probe(napi_env env, napi_callback_info info) {
  char event[PROF_EVENTS_TEXT] = "", cpus[PROF_CPUS_TEXT] = "";
  struct prof_plan plan;
  struct prof_error error = {0};
  napi_value arguments[3], value;
  size_t count = 3;
  double period = 0;
  int numbers[PROF_CPUS_MAX];
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      !prof_argument_text(env, arguments[0], "event", event, sizeof event) ||
      !prof_argument_number(env, arguments[1], "period", 1, 0x1p53, &period) ||
      !prof_argument_text(env, arguments[2], "cpus", cpus, sizeof cpus))
    return NULL;
  int status = prof_extras_choose(&prof_os_real, event[0] ? event : NULL, PROF_DEFAULT_FREQUENCY,
                                  (uint64_t)period, PROF_CALL_GRAPH_FULL, &plan, &error);
  if (!status) {
    int found = prof_cpus_choose(&prof_os_real, cpus, numbers, PROF_CPUS_MAX, &error);
    status = found < 0 ? found : PROF_OK;
  }
  if (napi_create_object(env, &value) != napi_ok)
    return NULL;
  prof_value_set_bool(env, value, "ok", status == PROF_OK);
  prof_value_set_text(env, value, "code", prof_status_code(status));
  prof_value_set_text(env, value, "message", status ? error.message : "");
  if (!status) {
    prof_value_set_text(env, value, "event", plan.event.name);
    prof_value_set_bool(env, value, "kernel", plan.kernel);
    prof_value_set_bool(env, value, "sigtrap", plan.sigtrap);
    prof_value_set_bool(env, value, "hasPmu", plan.has_pmu);
    prof_value_set(env, value, "warnings", prof_raw_notes(env, plan.notes, plan.note_count));
  }
  return value;
}

/* glibc's arenas do not shrink by themselves: what the recording was in, and what the build has
 * freed, would stay beside what is needed to write a profile. */
napi_value prof_machine_trim(napi_env env, napi_callback_info info) {
  (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return prof_value_undefined(env);
}
