#include "addon/options.h"

#include <string.h>

#include "addon/arguments.h"
#include "addon/machine.h"
#include "addon/values.h"
#include "perf/choose.h"

enum { MAX_MAX_FRAMES = 65536 };

static bool read_call_graph(napi_env env, napi_value object, int *out) {
  char text[16] = "full";
  if (!prof_option_text(env, object, "callGraph", text, sizeof text))
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
  if (!prof_option_text(env, object, "event", out->event, sizeof out->event) ||
      !prof_option_text(env, object, "raw", out->raw, sizeof out->raw) ||
      !prof_option_text(env, object, "journal", out->journal, sizeof out->journal) ||
      !prof_option_text(env, object, "stash", out->stash, sizeof out->stash) ||
      !prof_option_text(env, object, "about", out->about, sizeof out->about) ||
      !prof_option_text(env, object, "cpus", out->cpus, sizeof out->cpus) ||
      !prof_option_number(env, object, "period", 1, 0x1p53, &period) ||
      !read_call_graph(env, object, &out->call_graph) ||
      !prof_option_flag(env, object, "offCpu", &out->off_cpu) ||
      !prof_option_flag(env, object, "memory", &out->memory) ||
      !prof_option_flag(env, object, "faultPeriod", &out->fault_period) ||
      !prof_option_number(env, object, "allocationBytes", 1, 0x1p40, &mean) ||
      !prof_option_number(env, object, "allocationCap", 0, 100, &cap) ||
      !prof_option_number(env, object, "frequency", 1, PROF_FREQUENCY_MAX, &frequency) ||
      !prof_option_number(env, object, "maxFrames", 1, MAX_MAX_FRAMES, &frames) ||
      !prof_option_number(env, object, "stackBytes", 256, 65528, &stack) ||
      !prof_option_number(env, object, "ringBytes", 65536, 1 << 26, &ring) ||
      !prof_option_number(env, object, "drainMs", 1, 10000, &drain) ||
      !prof_option_number(env, object, "budget", PROF_BUDGET_PERCENT_MIN, PROF_BUDGET_PERCENT_MAX,
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
