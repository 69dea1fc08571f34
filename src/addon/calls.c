#include "addon/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addon/arguments.h"
#include "addon/calls_result.h"
#include "addon/values.h"
#include "code/funcs.h"
#include "perf/os.h"
#include "trace/exits.h"
#include "trace/hitcost.h"
#include "trace/probes.h"
#include "trace/tracer.h"
#include "trace/xray_patch.h"
#include "trace/xray_trace.h"

/* The process's: node's main thread starts and stops it. */
static struct {
  struct prof_tracer *tracer;
  struct prof_xray_trace *xray; /* one of the two */
  struct prof_call_plan plan;
} running;

static bool read_rows(napi_env env, napi_value value, uint32_t **rows, size_t *count) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, count, &data, NULL, NULL) == napi_ok &&
      type == napi_uint32_array) {
    *rows = data;
    return true;
  }
  prof_value_throw_with(env, PROF_BAD_OPTION, "rows must be a Uint32Array");
  return false;
}

/* None where it is not there. */
static bool read_roles(napi_env env, napi_value value, uint8_t **roles, size_t *count) {
  napi_typedarray_type type;
  bool is_array = false;
  void *data = NULL;
  *roles = NULL;
  *count = 0;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array)
    return true;
  if (napi_get_typedarray_info(env, value, &type, count, &data, NULL, NULL) == napi_ok &&
      type == napi_uint8_array) {
    *roles = data;
    return true;
  }
  prof_value_throw_with(env, PROF_BAD_OPTION, "roles must be a Uint8Array");
  return false;
}

/* --- what is in a file --- */

struct symbol_row {
  uint32_t row;
  uint64_t address, size;
};

napi_value prof_calls_symbols(napi_env env, napi_callback_info info) {
  static const struct prof_column columns[] = {
      {"row", offsetof(struct symbol_row, row), FIELD_U32},
      {"address", offsetof(struct symbol_row, address), FIELD_U64},
      {"size", offsetof(struct symbol_row, size), FIELD_U64},
  };
  char path[PATH_MAX];
  size_t count = 1, used = 0;
  napi_value argument, names, value = NULL;
  struct prof_funcs *funcs;
  struct prof_error error;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
      !prof_argument_path(env, argument, path))
    return NULL;
  if (prof_funcs_open(path, &funcs, &error))
    return prof_value_throw(env, &error);
  struct symbol_row *rows = malloc((prof_funcs_count(funcs) + 1) * sizeof *rows);
  if (rows && napi_create_array(env, &names) == napi_ok) {
    for (size_t i = 0; i < prof_funcs_count(funcs); i++) {
      struct prof_func func;
      if (!prof_funcs_at(funcs, i, &func))
        continue;
      napi_set_element(env, names, (uint32_t)used, prof_value_text(env, func.name));
      rows[used++] = (struct symbol_row){(uint32_t)i, func.address, func.size};
    }
    value = prof_value_columns(env, rows, used, sizeof *rows, columns,
                               sizeof columns / sizeof columns[0]);
    prof_value_set(env, value, "name", names);
  }
  free(rows);
  prof_funcs_close(funcs);
  return value;
}

struct site_row {
  uint32_t emulated, stepped;
  uint8_t calls_only, may_leave_unseen, entry_emulated;
};

napi_value prof_calls_sites(napi_env env, napi_callback_info info) {
  static const struct prof_column columns[] = {
      {"emulated", offsetof(struct site_row, emulated), FIELD_U32},
      {"stepped", offsetof(struct site_row, stepped), FIELD_U32},
      {"callsOnly", offsetof(struct site_row, calls_only), FIELD_U8},
      {"mayLeaveUnseen", offsetof(struct site_row, may_leave_unseen), FIELD_U8},
      {"entryEmulated", offsetof(struct site_row, entry_emulated), FIELD_U8},
  };
  char path[PATH_MAX];
  size_t count = 2, wanted;
  uint32_t *rows;
  napi_value arguments[2], value = NULL;
  struct prof_error error = {0};
  struct prof_call_plan plan;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      !prof_argument_path(env, arguments[0], path) || !read_rows(env, arguments[1], &rows, &wanted))
    return NULL;
  prof_call_plan_init(&plan);
  if (prof_call_plan_add(&plan, path, rows, NULL, wanted, &error)) {
    prof_call_plan_free(&plan);
    return prof_value_throw(env, &error);
  }
  struct site_row *out = calloc(plan.func_count + 1, sizeof *out);
  for (size_t i = 0; out && i < plan.func_count; i++) {
    const struct prof_call_func *func = &plan.funcs[i];
    for (uint32_t j = 0; j < func->site_count; j++) {
      bool emulated = plan.sites[func->first_site + j].is_emulated;
      out[i].emulated += emulated;
      out[i].stepped += !emulated;
    }
    out[i].calls_only = func->calls_only;
    out[i].may_leave_unseen = func->may_leave_unseen;
    out[i].entry_emulated = func->site_count && plan.sites[func->first_site].is_emulated;
  }
  if (out)
    value = prof_value_columns(env, out, plan.func_count, sizeof *out, columns,
                               sizeof columns / sizeof columns[0]);
  free(out);
  prof_call_plan_free(&plan);
  return value;
}

napi_value prof_calls_cost(napi_env env, napi_callback_info info) {
  struct prof_probes *probes = NULL;
  struct prof_hit_cost cost;
  struct prof_error error;
  napi_value value;
  (void)info;
  int status = prof_probes_open(&probes, &error);
  if (!status)
    status = prof_hit_cost_measure(probes, &prof_os_real, &cost, &error);
  prof_probes_close(probes);
  if (status)
    return prof_value_throw(env, &error);
  if (napi_create_object(env, &value) != napi_ok)
    return NULL;
  prof_value_set_number(env, value, "emulatedNs", cost.emulated_ns);
  prof_value_set_number(env, value, "steppedNs", cost.stepped_ns);
  return value;
}

/* --- the tracer --- */

static double number_of(napi_env env, napi_value object, const char *name) {
  napi_value value;
  double number = 0;
  if (napi_get_named_property(env, object, name, &value) == napi_ok)
    napi_get_value_double(env, value, &number);
  return number;
}

static bool add_objects(napi_env env, napi_value options, struct prof_call_plan *plan) {
  napi_value objects, object, path_value, rows_value, roles_value;
  uint32_t length = 0;
  char path[PATH_MAX];
  struct prof_error error;
  if (napi_get_named_property(env, options, "objects", &objects) != napi_ok ||
      napi_get_array_length(env, objects, &length) != napi_ok) {
    prof_value_throw_with(env, PROF_BAD_OPTION, "objects must be an array");
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    uint32_t *rows;
    uint8_t *roles;
    size_t count, role_count;
    if (napi_get_element(env, objects, i, &object) != napi_ok ||
        napi_get_named_property(env, object, "path", &path_value) != napi_ok ||
        napi_get_named_property(env, object, "rows", &rows_value) != napi_ok ||
        napi_get_named_property(env, object, "roles", &roles_value) != napi_ok ||
        !prof_argument_path(env, path_value, path) || !read_rows(env, rows_value, &rows, &count) ||
        !read_roles(env, roles_value, &roles, &role_count))
      return false;
    if (prof_call_plan_add(plan, path, rows, role_count == count ? roles : NULL, count, &error)) {
      prof_value_throw(env, &error);
      return false;
    }
  }
  return true;
}

/* The file of events, new; *fd -1: none is wanted. false: an exception is pending. */
static bool open_events(napi_env env, napi_value options, int *fd) {
  char path[PATH_MAX] = "";
  struct prof_error error;
  *fd = -1;
  if (!prof_option_text(env, options, "events", path, sizeof path))
    return false;
  if (!path[0])
    return true;
  *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (*fd >= 0)
    return true;
  prof_error_set(&error, PROF_BAD_FILE, errno, "open", "cannot write %s: %s", path,
                 strerror(errno));
  prof_value_throw(env, &error);
  return false;
}

/* By sleds where the caller wants it, or leaves it open and every function has them here. */
static bool use_xray(const char *method, bool command) {
  if (command || strcmp(method, "probes") == 0)
    return false;
  return strcmp(method, "xray") == 0 ||
         prof_xray_trace_count(&running.plan) >= running.plan.func_count;
}

napi_value prof_calls_start(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value options, value;
  bool command = false;
  char method[16] = "";
  int fd;
  struct prof_error error = {0};
  if (napi_get_cb_info(env, info, &count, &options, NULL, NULL) != napi_ok)
    return NULL;
  if (running.tracer || running.xray)
    return prof_value_throw_with(env, PROF_BUSY,
                                 "functions are being traced already: stop that trace first");
  prof_call_plan_init(&running.plan);
  if (!prof_option_flag(env, options, "command", &command) ||
      !prof_option_text(env, options, "method", method, sizeof method) ||
      !add_objects(env, options, &running.plan) || !open_events(env, options, &fd)) {
    prof_call_plan_free(&running.plan);
    return NULL;
  }
  const struct prof_tracer_options wanted = {
      .plan = &running.plan,
      .is_command = command,
      .spill_fd = fd,
      .depth = (uint32_t)number_of(env, options, "depth"),
      .limit_calls = (uint64_t)number_of(env, options, "limitCalls"),
      .budget_percent = number_of(env, options, "budgetPercent"),
      .sample_hz = (uint32_t)number_of(env, options, "sampleHz"),
      .has_stacks = number_of(env, options, "stackPeriod") > 0,
  };
  int status = use_xray(method, command) ? prof_xray_trace_start(&wanted, &running.xray, &error)
                                         : prof_tracer_start(&wanted, &running.tracer, &error);
  if (status) {
    running.tracer = NULL;
    running.xray = NULL;
    prof_call_plan_free(&running.plan);
    return prof_value_throw(env, &error);
  }
  value = prof_calls_functions(env, &running.plan);
  if (running.tracer)
    prof_value_set_number(env, value, "entriesEvent", prof_tracer_entries(running.tracer));
  return value;
}

napi_value prof_calls_sleds(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value options, value = NULL;
  if (napi_get_cb_info(env, info, &count, &options, NULL, NULL) != napi_ok)
    return NULL;
  struct prof_call_plan plan;
  prof_call_plan_init(&plan);
  if (add_objects(env, options, &plan) && napi_create_object(env, &value) == napi_ok) {
    prof_value_set_number(env, value, "functions", (double)plan.func_count);
    prof_value_set_number(env, value, "sleds", (double)prof_xray_patch_count_in_files(&plan));
  }
  prof_call_plan_free(&plan);
  return value;
}

napi_value prof_calls_begun(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  uint32_t pid;
  if (running.tracer && napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == napi_ok &&
      napi_get_value_uint32(env, argument, &pid) == napi_ok)
    prof_tracer_begun(running.tracer, pid);
  return NULL;
}

napi_value prof_calls_stop(napi_env env, napi_callback_info info) {
  struct prof_tracer_result result;
  (void)info;
  if (!running.tracer && !running.xray)
    return prof_value_throw_with(env, PROF_NOT_RUNNING, "no functions are being traced");
  if (running.xray)
    prof_xray_trace_stop(running.xray, &result);
  else
    prof_tracer_stop(running.tracer, &result);
  napi_value value = prof_calls_result(env, &running.plan, &result);
  prof_value_set_text(env, value, "method", running.xray ? "xray" : "uprobe");
  prof_tracer_free(running.tracer);
  prof_xray_trace_free(running.xray);
  running.tracer = NULL;
  running.xray = NULL;
  prof_call_plan_free(&running.plan);
  return value;
}
