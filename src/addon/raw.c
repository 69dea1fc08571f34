#include "addon/raw.h"

#include <stdlib.h>

#include "addon/values.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define COLUMN(row, member, kind)                                                                  \
  { #member, offsetof(struct row, member), kind }
#define NAMED_COLUMN(row, member, text, kind)                                                      \
  { text, offsetof(struct row, member), kind }

static const struct prof_column thread_columns[] = {
    COLUMN(prof_result_thread, tid, FIELD_U32),
    COLUMN(prof_result_thread, name, FIELD_U32),
    NAMED_COLUMN(prof_result_thread, start_ns, "startNs", FIELD_U64),
    NAMED_COLUMN(prof_result_thread, end_ns, "endNs", FIELD_U64),
};

static const struct prof_column module_columns[] = {
    COLUMN(prof_result_module, path, FIELD_U32),
    COLUMN(prof_result_module, name, FIELD_U32),
    NAMED_COLUMN(prof_result_module, build_id, "buildId", FIELD_U32),
    COLUMN(prof_result_module, start, FIELD_U64),
    COLUMN(prof_result_module, end, FIELD_U64),
    COLUMN(prof_result_module, flags, FIELD_U8),
};

static const struct prof_column func_columns[] = {
    COLUMN(prof_result_func, name, FIELD_U32),    COLUMN(prof_result_func, symbol, FIELD_U32),
    COLUMN(prof_result_func, module, FIELD_I32),  COLUMN(prof_result_func, crate, FIELD_I32),
    COLUMN(prof_result_func, kind, FIELD_U8),     COLUMN(prof_result_func, file, FIELD_I32),
    COLUMN(prof_result_func, line, FIELD_U32),    COLUMN(prof_result_func, column, FIELD_U32),
    COLUMN(prof_result_func, tier, FIELD_U8),     COLUMN(prof_result_func, named, FIELD_U8),
    COLUMN(prof_result_func, address, FIELD_I64),
};

static const struct prof_column node_columns[] = {
    COLUMN(prof_result_node, parent, FIELD_I32),
    COLUMN(prof_result_node, func, FIELD_I32),
    NAMED_COLUMN(prof_result_node, inlined, "inline", FIELD_U8),
};

static const struct prof_column sample_columns[] = {
    NAMED_COLUMN(prof_sample, time_ns, "timeNs", FIELD_U64),
    COLUMN(prof_sample, thread, FIELD_U32),
    COLUMN(prof_sample, cpu, FIELD_U16),
    COLUMN(prof_sample, node, FIELD_U32),
    COLUMN(prof_sample, weight, FIELD_U64),
    COLUMN(prof_sample, end, FIELD_U8),
    COLUMN(prof_sample, flags, FIELD_U8),
    COLUMN(prof_sample, state, FIELD_U8),
    COLUMN(prof_sample, event, FIELD_U8),
};

static const struct prof_column resident_columns[] = {
    NAMED_COLUMN(prof_resident_row, time_ns, "timeNs", FIELD_U64),
    COLUMN(prof_resident_row, bytes, FIELD_U64),
};

static const struct prof_column allocation_columns[] = {
    NAMED_COLUMN(prof_allocation, time_ns, "timeNs", FIELD_U64),
    NAMED_COLUMN(prof_allocation, freed_ns, "freedNs", FIELD_U64),
    COLUMN(prof_allocation, bytes, FIELD_U64),
    COLUMN(prof_allocation, thread, FIELD_U32),
    COLUMN(prof_allocation, cpu, FIELD_U16),
    COLUMN(prof_allocation, node, FIELD_U32),
    COLUMN(prof_allocation, end, FIELD_U8),
    COLUMN(prof_allocation, flags, FIELD_U8),
};

static napi_value strings_of(napi_env env, const struct prof_result *result) {
  napi_value array;
  if (napi_create_array_with_length(env, result->strings.count, &array) != napi_ok)
    return NULL;
  for (uint32_t i = 0; i < result->strings.count; i++) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok)
      return NULL;
    napi_value text = prof_value_text(env, prof_strings_at(&result->strings, i));
    if (text)
      napi_set_element(env, array, i, text);
    napi_close_handle_scope(env, scope);
  }
  return array;
}

static napi_value budget_of(napi_env env, const struct prof_result_budget *from) {
  napi_value budget, changes;
  if (napi_create_object(env, &budget) != napi_ok ||
      napi_create_array_with_length(env, from->rate_count, &changes) != napi_ok)
    return NULL;
  for (size_t i = 0; i < from->rate_count; i++) {
    napi_value row;
    if (napi_create_object(env, &row) != napi_ok)
      return NULL;
    prof_value_set_number(env, row, "timeNs", (double)from->rates[i].time_ns);
    prof_value_set_number(env, row, "frequency", from->rates[i].frequency);
    napi_set_element(env, changes, (uint32_t)i, row);
  }
  prof_value_set_number(env, budget, "percent", from->percent);
  prof_value_set_number(env, budget, "costPercent", from->cost_percent);
  prof_value_set_number(env, budget, "finalFrequency", from->rates[from->rate_count - 1].frequency);
  prof_value_set_number(env, budget, "interruptNs", (double)from->interrupt_ns);
  prof_value_set_number(env, budget, "arrivalNs", (double)from->arrival_ns);
  prof_value_set_number(env, budget, "walkNs", (double)from->walk_ns);
  prof_value_set_bool(env, budget, "isMeasured", from->is_measured);
  prof_value_set(env, budget, "changes", changes);
  return budget;
}

/* What was counted beside the samples of allocations. */
static napi_value counted_of(napi_env env, const struct prof_result *result) {
  const struct prof_allocations *from = &result->allocated;
  static const char *const detached[] = {[PROF_ALLOCATIONS_ON] = "",
                                         [PROF_ALLOCATIONS_COST] = "cost",
                                         [PROF_ALLOCATIONS_SAMPLES] = "samples"};
  const struct {
    const char *name;
    double number;
  } numbers[] = {
      {"meanBytes", (double)result->mean_bytes},
      {"calls", (double)from->counters.calls},
      {"dropped", (double)(from->counters.dropped + from->no_memory)},
      {"notFollowed", (double)from->counters.not_followed},
      {"missedFrees", (double)from->counters.missed_frees},
      {"endNs", (double)from->end_ns},
      {"slots", from->slots},
      {"modules", from->modules},
      {"refusedSlots", from->refused},
      {"callNs", (double)from->price_ps / 1000},
      {"walkMs", (double)from->counters.take_ns / 1e6},
      {"costPercent", prof_allocations_cost(from)},
  };
  napi_value counted;
  if (napi_create_object(env, &counted) != napi_ok)
    return NULL;
  for (size_t i = 0; i < COUNT(numbers); i++)
    prof_value_set_number(env, counted, numbers[i].name, numbers[i].number);
  prof_value_set_text(env, counted, "detached", detached[from->reason]);
  return counted;
}

static void set_event(napi_env env, napi_value object, const struct prof_plan *plan, int index) {
  const struct prof_event *event = prof_plan_event(plan, index);
  prof_value_set_text(env, object, "event", event->name);
  prof_value_set_text(env, object, "requestedEvent", prof_plan_requested(plan, index));
  prof_value_set_text(env, object, "unit", event->unit);
}

/* In the order in which samples.event counts them. */
static napi_value events_of(napi_env env, const struct prof_result *result) {
  napi_value array;
  if (napi_create_array(env, &array) != napi_ok)
    return NULL;
  for (int i = 0; i <= result->plan.extra_count; i++) {
    napi_value row;
    if (napi_create_object(env, &row) != napi_ok)
      return NULL;
    set_event(env, row, &result->plan, i);
    prof_value_set_number(env, row, "scaledBy", result->scaled_by[i]);
    napi_set_element(env, array, (uint32_t)i, row);
  }
  return array;
}

static napi_value meta_of(napi_env env, const struct prof_result *result) {
  const struct prof_plan *plan = &result->plan;
  napi_value meta;
  if (napi_create_object(env, &meta) != napi_ok)
    return NULL;
  set_event(env, meta, plan, 0);
  prof_value_set_number(env, meta, "frequency", plan->period_events ? 0 : plan->frequency);
  if (plan->period_events)
    prof_value_set_number(env, meta, "period", (double)plan->period_events);
  prof_value_set(env, meta, "events", events_of(env, result));
  prof_value_set_text(env, meta, "callGraph",
                      result->call_graph ? result->call_graph
                      : plan->sigtrap    ? "full"
                      : plan->stack_dump ? "dwarf"
                                         : "none");
  prof_value_set_number(env, meta, "startNs", (double)result->start_ns);
  prof_value_set_number(env, meta, "endNs", (double)result->end_ns);
  prof_value_set_number(env, meta, "startUnixMs", (double)result->start_unix_ms);
  prof_value_set_number(env, meta, "cpus", result->cpus);
  prof_value_set_number(env, meta, "pid", result->pid);
  if (result->journal[0])
    prof_value_set_text(env, meta, "journal", result->journal);
  if (result->command[0])
    prof_value_set_text(env, meta, "command", result->command);
  prof_value_set_text(env, meta, "kernel", result->kernel);
  prof_value_set_text(env, meta, "arch", result->arch);
  prof_value_set_bool(env, meta, "hasKernel", plan->kernel);
  prof_value_set_bool(env, meta, "hasPmu", plan->has_pmu);
  if (plan->switches != PROF_SWITCHES_NONE)
    prof_value_set_text(env, meta, "switches",
                        plan->switches == PROF_SWITCHES_EVENT ? "event" : "records");
  if (result->budget.percent > 0)
    prof_value_set(env, meta, "budget", budget_of(env, &result->budget));
  return meta;
}

static void push_notes(napi_env env, napi_value array, const struct prof_plan_note *notes,
                       int count) {
  for (int i = 0; i < count; i++) {
    napi_value row;
    uint32_t length;
    if (napi_create_object(env, &row) != napi_ok)
      return;
    prof_value_set_text(env, row, "code", notes[i].code);
    prof_value_set_text(env, row, "message", notes[i].message);
    prof_value_set_text(env, row, "fix", notes[i].fix);
    if (napi_get_array_length(env, array, &length) != napi_ok)
      return;
    napi_set_element(env, array, length, row);
  }
}

napi_value prof_raw_notes(napi_env env, const struct prof_plan_note *notes, int count) {
  napi_value array;
  if (napi_create_array(env, &array) != napi_ok)
    return NULL;
  push_notes(env, array, notes, count);
  return array;
}

static napi_value objects_of(napi_env env, const struct prof_result *result) {
  napi_value array;
  if (napi_create_array_with_length(env, result->broken_count, &array) != napi_ok)
    return NULL;
  for (uint32_t i = 0; i < result->broken_count; i++) {
    const struct prof_result_broken *broken = &result->broken[i];
    napi_value row;
    if (napi_create_object(env, &row) != napi_ok)
      return NULL;
    prof_value_set_text(env, row, "object", prof_strings_at(&result->strings, broken->object));
    prof_value_set_number(env, row, "samples", broken->samples);
    prof_value_set_number(env, row, "broken", broken->broken);
    prof_value_set_text(env, row, "reason", prof_strings_at(&result->strings, broken->reason));
    napi_set_element(env, array, i, row);
  }
  return array;
}

static napi_value quality_of(napi_env env, const struct prof_result *result) {
  const struct prof_result_quality *from = &result->quality;
  const struct {
    const char *name;
    uint64_t number;
  } numbers[] = {
      {"samples", from->samples},
      {"lost", from->lost},
      {"throttled", from->throttled},
      {"complete", from->complete},
      {"truncated", from->truncated},
      {"joined", from->joined},
      {"broken", from->broken},
      {"unnamedLeaf", from->unnamed_leaf},
      {"inHandler", from->in_handler},
      {"doubles", from->doubles},
      {"forgotten", from->forgotten},
      {"guessed", from->guessed},
      {"signals", from->signals},
      {"handlerDropped", from->handler_dropped},
      {"spared", from->spared},
      {"unmatchedStacks", from->unmatched_stacks},
      {"ringBytes", from->ring_bytes},
      {"unlistedRefused", from->unlisted_refused},
      {"signalsPassedOn", from->passed_on},
      {"lateRecords", from->late},
      {"codeEventsDropped", from->jit_dropped},
      {"unnamedInterpreted", from->unnamed_interpreter},
      {"refusedModules", from->refused_modules},
      {"refusedTables", from->refused_tables},
  };
  napi_value quality, cost, warnings;
  if (napi_create_object(env, &quality) != napi_ok || napi_create_object(env, &cost) != napi_ok) {
    return NULL;
  }
  for (size_t i = 0; i < COUNT(numbers); i++) {
    prof_value_set_number(env, quality, numbers[i].name, (double)numbers[i].number);
  }
  prof_value_set_number(env, quality, "usedCpuMs", (double)from->used_ns / 1e6);
  prof_value_set_number(env, cost, "cpuMs", from->cpu_ms);
  prof_value_set_number(env, cost, "peakBytes", (double)from->peak_bytes);
  prof_value_set_number(env, cost, "finishMs", from->finish_ms);
  prof_value_set_number(env, cost, "handlerMs", from->handler_ms);
  prof_value_set(env, quality, "cost", cost);
  warnings = prof_raw_notes(env, result->plan.notes, result->plan.note_count);
  if (!warnings)
    return NULL;
  push_notes(env, warnings, result->notes, result->note_count);
  prof_value_set(env, quality, "warnings", warnings);
  prof_value_set(env, quality, "byObject", objects_of(env, result));
  return quality;
}

napi_value prof_raw_create(napi_env env, struct prof_result *result) {
  napi_value raw;
  if (napi_create_object(env, &raw) != napi_ok)
    return NULL;
  prof_value_set(env, raw, "strings", strings_of(env, result));
  prof_value_set(env, raw, "meta", meta_of(env, result));
  /* Rows are not needed once they are columns, and both together would be much. */
#define TABLE(name, rows, count, columns)                                                          \
  do {                                                                                             \
    prof_value_set(env, raw, name,                                                                 \
                   prof_value_columns(env, rows, count, sizeof *(rows), columns, COUNT(columns))); \
    free(rows);                                                                                    \
    (rows) = NULL;                                                                                 \
  } while (0)
  TABLE("samples", result->samples, result->sample_count, sample_columns);
  TABLE("nodes", result->nodes, result->node_count, node_columns);
  TABLE("funcs", result->funcs, result->func_count, func_columns);
  TABLE("modules", result->modules, result->module_count, module_columns);
  TABLE("threads", result->threads, result->thread_count, thread_columns);
  if (result->resident_count)
    TABLE("resident", result->resident, result->resident_count, resident_columns);
  if (result->mean_bytes) {
    TABLE("allocations", result->allocations, result->allocation_count, allocation_columns);
    prof_value_set(env, raw, "allocated", counted_of(env, result));
  }
#undef TABLE
  prof_value_set(env, raw, "quality", quality_of(env, result));
  return raw;
}
