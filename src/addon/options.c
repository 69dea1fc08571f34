#include "addon/options.h"

#include <string.h>

#include "addon/machine.h"
#include "addon/values.h"
#include "perf/choose.h"

enum { MAX_MAX_FRAMES = 65536 };

static bool read_number(napi_env env, napi_value object, const char *name, double least,
                        double most, double *out) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) {
    return true;
  }
  double number;
  if (type == napi_number && napi_get_value_double(env, value, &number) == napi_ok &&
      number >= least && number <= most) {
    *out = number;
    return true;
  }
  struct prof_error error;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be a number from %g to %g", name, least,
                 most);
  prof_value_throw(env, &error);
  return false;
}

static bool read_text(napi_env env, napi_value object, const char *name, char *out, size_t size) {
  napi_value value;
  napi_valuetype type;
  size_t length;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) {
    return true;
  }
  if (type == napi_string && napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok &&
      length < size) {
    return napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok;
  }
  struct prof_error error;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be a text of less than %zu bytes", name,
                 size);
  prof_value_throw(env, &error);
  return false;
}

static bool read_flag(napi_env env, napi_value object, const char *name, bool *out) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type == napi_undefined)
    return true;
  if (type == napi_boolean)
    return napi_get_value_bool(env, value, out) == napi_ok;
  struct prof_error error;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be true or false", name);
  prof_value_throw(env, &error);
  return false;
}

static bool read_call_graph(napi_env env, napi_value object, int *out) {
  char text[16] = "full";
  if (!read_text(env, object, "callGraph", text, sizeof text))
    return false;
  static const char *const names[] = {[PROF_CALL_GRAPH_NONE] = "none",
                                      [PROF_CALL_GRAPH_FULL] = "full",
                                      [PROF_CALL_GRAPH_DWARF] = "dwarf"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, names[i]) == 0) {
      *out = i;
      return true;
    }
  }
  prof_value_throw_with(env, PROF_BAD_OPTION, "callGraph must be 'full', 'dwarf' or 'none'");
  return false;
}

bool prof_options_read(napi_env env, napi_value object, struct prof_session_options *out) {
  double period = 0, frequency = PROF_DEFAULT_FREQUENCY, frames = PROF_MAX_FRAMES_DEFAULT,
         stack = 0, ring = 0, drain = 0, budget = 0, mean = 0, cap = PROF_ALLOCATIONS_CAP_PERCENT;
  if (!read_text(env, object, "event", out->event, sizeof out->event) ||
      !read_text(env, object, "raw", out->raw, sizeof out->raw) ||
      !read_text(env, object, "journal", out->journal, sizeof out->journal) ||
      !read_text(env, object, "about", out->about, sizeof out->about) ||
      !read_text(env, object, "cpus", out->cpus, sizeof out->cpus) ||
      !read_number(env, object, "period", 1, 0x1p53, &period) ||
      !read_call_graph(env, object, &out->call_graph) ||
      !read_flag(env, object, "offCpu", &out->off_cpu) ||
      !read_flag(env, object, "memory", &out->memory) ||
      !read_flag(env, object, "faultPeriod", &out->fault_period) ||
      !read_number(env, object, "allocationBytes", 1, 0x1p40, &mean) ||
      !read_number(env, object, "allocationCap", 0, 100, &cap) ||
      !read_number(env, object, "frequency", 1, PROF_FREQUENCY_MAX, &frequency) ||
      !read_number(env, object, "maxFrames", 1, MAX_MAX_FRAMES, &frames) ||
      !read_number(env, object, "stackBytes", 256, 65528, &stack) ||
      !read_number(env, object, "ringBytes", 65536, 1 << 26, &ring) ||
      !read_number(env, object, "drainMs", 1, 10000, &drain) ||
      !read_number(env, object, "budget", PROF_BUDGET_PERCENT_MIN, PROF_BUDGET_PERCENT_MAX,
                   &budget)) {
    return false;
  }
  out->frequency = (uint32_t)frequency;
  out->period_events = (uint64_t)period;
  out->max_frames = (uint32_t)frames;
  out->stack_bytes = (uint32_t)stack & ~7u;
  out->ring_bytes = (size_t)ring;
  out->drain_ms = (uint32_t)drain;
  out->budget_percent = budget;
  out->allocations.mean_bytes = (uint64_t)mean;
  out->allocations.cap_percent = cap;
  return true;
}

napi_value prof_options_argument(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_valuetype type = napi_undefined;
  size_t count = 1;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok)
    return NULL;
  if (count)
    napi_typeof(env, argument, &type);
  if (type != napi_object && type != napi_string && napi_create_object(env, &argument) != napi_ok) {
    return NULL;
  }
  return argument;
}
