#include "addon/calls_result.h"

#include <stddef.h>
#include <stdlib.h>

#include "addon/values.h"
#include "trace/tracer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

napi_value prof_calls_functions(napi_env env, const struct prof_call_plan *plan) {
  static const struct prof_column columns[] = {
      {"address", offsetof(struct prof_call_func, address), FIELD_U64},
      {"size", offsetof(struct prof_call_func, size), FIELD_U64},
      {"object", offsetof(struct prof_call_func, object), FIELD_U32},
      {"probes", offsetof(struct prof_call_func, site_count), FIELD_U32},
      {"callsOnly", offsetof(struct prof_call_func, calls_only), FIELD_U8},
      {"mayLeaveUnseen", offsetof(struct prof_call_func, may_leave_unseen), FIELD_U8},
      {"role", offsetof(struct prof_call_func, role), FIELD_U8},
  };
  napi_value value, names, objects;
  value = prof_value_columns(env, plan->funcs, plan->func_count, sizeof *plan->funcs, columns,
                             COUNT(columns));
  if (napi_create_array_with_length(env, plan->func_count, &names) != napi_ok ||
      napi_create_array_with_length(env, plan->object_count, &objects) != napi_ok)
    return NULL;
  for (uint32_t i = 0; i < plan->func_count; i++)
    napi_set_element(env, names, i, prof_value_text(env, plan->funcs[i].name));
  for (uint32_t i = 0; i < plan->object_count; i++)
    napi_set_element(env, objects, i, prof_value_text(env, plan->objects[i].path));
  prof_value_set(env, value, "name", names);
  prof_value_set(env, value, "objects", objects);
  return value;
}

struct figures {
  struct prof_tally_row row;
  uint64_t p50_ns, p99_ns;
};

static napi_value tally(napi_env env, const struct prof_call_plan *plan,
                        const struct prof_tally *from) {
  static const struct prof_column columns[] = {
      {"calls", offsetof(struct figures, row.calls), FIELD_U64},
      {"timed", offsetof(struct figures, row.timed), FIELD_U64},
      {"unseen", offsetof(struct figures, row.unseen), FIELD_U64},
      {"open", offsetof(struct figures, row.open), FIELD_U64},
      {"selfNs", offsetof(struct figures, row.self_ns), FIELD_U64},
      {"totalNs", offsetof(struct figures, row.total_ns), FIELD_U64},
      {"sumNs", offsetof(struct figures, row.sum_ns), FIELD_U64},
      {"minNs", offsetof(struct figures, row.min_ns), FIELD_U64},
      {"maxNs", offsetof(struct figures, row.max_ns), FIELD_U64},
      {"samples", offsetof(struct figures, row.samples), FIELD_U64},
      {"spawned", offsetof(struct figures, row.spawned), FIELD_U64},
      {"spawnedNs", offsetof(struct figures, row.spawned_ns), FIELD_U64},
      {"p50Ns", offsetof(struct figures, p50_ns), FIELD_U64},
      {"p99Ns", offsetof(struct figures, p99_ns), FIELD_U64},
  };
  struct figures *figures = calloc(plan->func_count + 1, sizeof *figures);
  napi_value value;
  if (!figures)
    return NULL;
  for (size_t i = 0; i < plan->func_count; i++) {
    figures[i].row = *prof_tally_at(from, i);
    figures[i].p50_ns = prof_tally_quantile(&figures[i].row, 0.5);
    figures[i].p99_ns = prof_tally_quantile(&figures[i].row, 0.99);
  }
  value =
      prof_value_columns(env, figures, plan->func_count, sizeof *figures, columns, COUNT(columns));
  free(figures);
  return value;
}

struct bucket {
  uint64_t from_ns, to_ns;
  uint32_t func, count;
};

/* The filled buckets of all functions. */
static napi_value histogram(napi_env env, const struct prof_call_plan *plan,
                            const struct prof_tally *from) {
  static const struct prof_column columns[] = {
      {"func", offsetof(struct bucket, func), FIELD_U32},
      {"fromNs", offsetof(struct bucket, from_ns), FIELD_U64},
      {"toNs", offsetof(struct bucket, to_ns), FIELD_U64},
      {"count", offsetof(struct bucket, count), FIELD_U32},
  };
  struct bucket *buckets = NULL;
  size_t used = 0, filled = 0;
  napi_value value = NULL;
  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t i = 0; i < plan->func_count; i++) {
      const struct prof_tally_row *row = prof_tally_at(from, i);
      for (size_t j = 0; row->buckets && j < PROF_TALLY_BUCKETS; j++) {
        if (row->buckets[j] == 0)
          continue;
        if (buckets) {
          buckets[used] = (struct bucket){.func = i, .count = row->buckets[j]};
          prof_tally_bucket(j, &buckets[used].from_ns, &buckets[used].to_ns);
          used++;
        } else {
          filled++;
        }
      }
    }
    if (!buckets && !(buckets = malloc((filled + 1) * sizeof *buckets)))
      return NULL;
  }
  value = prof_value_columns(env, buckets, used, sizeof *buckets, columns, COUNT(columns));
  free(buckets);
  return value;
}

static napi_value pairs(napi_env env, const struct prof_tally *from) {
  static const struct prof_column columns[] = {
      {"func", offsetof(struct prof_tally_pair, func), FIELD_U32},
      {"caller", offsetof(struct prof_tally_pair, caller), FIELD_I32},
      {"crossed", offsetof(struct prof_tally_pair, is_crossed), FIELD_U8},
      {"calls", offsetof(struct prof_tally_pair, calls), FIELD_U64},
      {"selfNs", offsetof(struct prof_tally_pair, self_ns), FIELD_U64},
      {"totalNs", offsetof(struct prof_tally_pair, total_ns), FIELD_U64},
  };
  size_t count;
  const struct prof_tally_pair *rows = prof_tally_pairs(from, &count);
  return prof_value_columns(env, rows, count, sizeof *rows, columns, COUNT(columns));
}

static napi_value drops(napi_env env, const struct prof_tracer_result *result) {
  static const struct prof_column columns[] = {
      {"func", offsetof(struct prof_drop, func), FIELD_U32},
      {"reason", offsetof(struct prof_drop, reason), FIELD_U8},
      {"calls", offsetof(struct prof_drop, calls), FIELD_U64},
      {"atNs", offsetof(struct prof_drop, at_ns), FIELD_U64},
  };
  return prof_value_columns(env, result->drops, result->drop_count, sizeof *result->drops, columns,
                            COUNT(columns));
}

static napi_value threads(napi_env env, const struct prof_tracer_result *result) {
  static const struct prof_column columns[] = {
      {"pid", offsetof(struct prof_trace_thread, pid), FIELD_U32},
      {"tid", offsetof(struct prof_trace_thread, tid), FIELD_U32},
  };
  napi_value value, names;
  value = prof_value_columns(env, result->threads, result->thread_count, sizeof *result->threads,
                             columns, COUNT(columns));
  if (napi_create_array_with_length(env, result->thread_count, &names) != napi_ok)
    return NULL;
  for (uint32_t i = 0; i < result->thread_count; i++)
    napi_set_element(env, names, i, prof_value_text(env, result->threads[i].name));
  prof_value_set(env, value, "name", names);
  return value;
}

napi_value prof_calls_result(napi_env env, const struct prof_call_plan *plan,
                             const struct prof_tracer_result *result) {
  napi_value value;
  if (napi_create_object(env, &value) != napi_ok)
    return NULL;
  const struct {
    const char *name;
    double number;
  } numbers[] = {
      {"emulatedNs", result->cost.emulated_ns},
      {"steppedNs", result->cost.stepped_ns},
      {"startNs", (double)result->start_ns},
      {"endNs", (double)result->end_ns},
      {"hits", (double)result->match.hits},
      {"unmatched", (double)result->match.unmatched},
      {"tooDeep", (double)result->match.too_deep},
      {"deeper", (double)result->match.deeper},
      {"twice", (double)result->match.twice},
      {"noMemory", (double)result->match.no_memory},
      {"jobs", (double)result->match.jobs},
      {"jobsCrossed", (double)result->match.jobs_crossed},
      {"jobsInside", (double)result->match.jobs_inside},
      {"jobsOutside", (double)result->match.jobs_outside},
      {"lost", (double)result->lost},
      {"samples", (double)result->samples},
      {"samplePeriodNs", (double)result->sample_period_ns},
      {"samplesOutside", (double)prof_tally_samples_outside(result->tally)},
      {"refusedSites", (double)result->refused_sites},
      {"events", (double)result->events},
      {"eventBytes", (double)result->event_bytes},
      {"missedEvents", (double)result->missed_events},
      {"spillErrno", (double)result->spill_errno},
      {"costNs", result->cost_ns},
      {"cpuNs", result->cpu_ns},
  };
  for (size_t i = 0; i < COUNT(numbers); i++)
    prof_value_set_number(env, value, numbers[i].name, numbers[i].number);
  prof_value_set_bool(env, value, "dropFailed", result->drop_failed);
  prof_value_set(env, value, "functions", prof_calls_functions(env, plan));
  prof_value_set(env, value, "tally", tally(env, plan, result->tally));
  prof_value_set(env, value, "histogram", histogram(env, plan, result->tally));
  prof_value_set(env, value, "pairs", pairs(env, result->tally));
  prof_value_set(env, value, "drops", drops(env, result));
  prof_value_set(env, value, "threads", threads(env, result));
  return value;
}
