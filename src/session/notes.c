#include "session/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "perf/os.h"
#include "session/timers.h"

#define UNSAMPLED_LEAST_NS 500000000u /* of CPU time: less says little */
#define UNSAMPLED_BELOW 0.9           /* a busy machine: 0.99 (docs/safety.md) */

__attribute__((format(printf, 4, 5))) static void add(struct prof_result *out, const char *code,
                                                      const char *fix, const char *format, ...) {
  if (out->note_count == (int)(sizeof out->notes / sizeof out->notes[0]))
    return;
  struct prof_plan_note *note = &out->notes[out->note_count++];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(note->message, sizeof note->message, format, arguments);
  va_end(arguments);
  snprintf(note->code, sizeof note->code, "%s", code);
  snprintf(note->fix, sizeof note->fix, "%s", fix);
}

static void add_budget(const struct prof_recording *recording, struct prof_result *out) {
  const struct prof_result_budget *budget = &out->budget;
  uint32_t least = out->plan.frequency, last = least;
  for (size_t i = 0; i < budget->rate_count; i++) {
    last = budget->rates[i].frequency;
    least = last < least ? last : least;
  }
  if (least < out->plan.frequency)
    add(out, "rate-lowered", "",
        "rate lowered to %u Hz%s to stay below %g %%: %u Hz were asked for", last,
        least < last ? " and less" : "", budget->percent, out->plan.frequency);
  if (recording->meter.is_refused)
    add(out, "budget-exceeded", "ulimit -n 65536",
        "profiling cost %.1f %%, the budget is %g %%: the events of another rate did not open",
        budget->cost_percent, budget->percent);
  else if (budget->cost_percent > budget->percent)
    add(out, "budget-exceeded", "",
        "profiling cost %.1f %% of the build's CPU time, the budget is %g %%: %s",
        budget->cost_percent, budget->percent,
        recording->meter.budget.step == recording->meter.budget.lowest
            ? "no lower rate is left"
            : "the build was too short to make up for its start");
}

/* Time in no sample: threads that ended before their first or since their last one, and ticks that
 * came late. Only where weights are all of the CPU time. */
static void add_unsampled(const struct prof_recording *recording, struct prof_result *out) {
  const struct prof_plan *plan = &recording->options.plan;
  uint64_t sampled_ns = 0, used_ns = out->quality.used_ns;
  if (!plan->kernel || strcmp(plan->event.unit, "ns") || plan->extra_count || recording->timers ||
      plan->switches != PROF_SWITCHES_NONE || recording->samples.forgotten ||
      (recording->options.cpus && recording->options.cpus[0]) || used_ns < UNSAMPLED_LEAST_NS)
    return;
  for (size_t i = 0; i < recording->samples.count; i++)
    sampled_ns += recording->samples.rows[i].weight;
  if ((double)sampled_ns < UNSAMPLED_BELOW * (double)used_ns)
    add(out, "cpu-unsampled", "",
        "samples stand for %.0f %% of the CPU time that was used: the rest was in threads that "
        "ended "
        "between two samples, or the machine was busy: a higher rate sees more of it",
        100 * (double)sampled_ns / (double)used_ns);
}

/* Why kernel functions have no names, unless the plan knew it before. */
static void add_kernel_names(const char *why, struct prof_result *out) {
  for (int i = 0; i < out->plan.note_count; i++)
    if (!strcmp(out->plan.notes[i].code, "kernel-addresses-hidden"))
      return;
  /* kallsyms_show_value(), 4.15 to 6.18: 2 hides addresses from everybody, 1 from those without
   * CAP_SYSLOG, and so does 0 above perf_event_paranoid 1. */
  bool is_restricted = prof_os_number(&prof_os_real, PROF_SYS_KPTR, 0) > 0;
  bool is_paranoid = prof_os_number(&prof_os_real, PROF_SYS_PARANOID, 2) > 1;
  static const char *const fixes[2][2] = {
      {"", "sudo sysctl kernel.perf_event_paranoid=1"},
      {"sudo sysctl kernel.kptr_restrict=0",
       "sudo sysctl kernel.kptr_restrict=0 kernel.perf_event_paranoid=1"},
  };
  add(out, "no-kernel-symbols", fixes[is_restricted][is_paranoid], "%s", why);
}

/* What could not be read, or came too late to be used: the names that are missing for it. */
static void add_unread(const struct prof_recording *recording, struct prof_result *out) {
  const struct prof_result_quality *quality = &out->quality;
  if (quality->refused_modules + quality->refused_tables)
    add(out, "files-unread", "",
        "%llu executable mappings are of no ELF file that can be read, %llu files have symbols "
        "that cannot be read: code there has no names",
        (unsigned long long)quality->refused_modules, (unsigned long long)quality->refused_tables);
  if (quality->jit_dropped)
    add(out, "code-events-dropped", "",
        "%llu of V8's messages about its code found no room: some JavaScript has no name, or that "
        "of what was there before",
        (unsigned long long)quality->jit_dropped);
  if (quality->unnamed_interpreter * 100 > quality->samples && !recording->options.replay_pid)
    add(out, "interpreter-unnamed", "",
        "interpreted functions were met %llu times whose names are not known: they stand there as "
        "InterpreterEntryTrampoline",
        (unsigned long long)quality->unnamed_interpreter);
  if (quality->late)
    add(out, "late-records", "",
        "%llu records came after later ones had been worked on: samples near them may have the "
        "names of other code, or no stack",
        (unsigned long long)quality->late);
}

void prof_notes_add(struct prof_recording *recording, struct prof_result *out) {
  const struct prof_recording_options *options = &recording->options;
  if (options->replay_pid) {
    /* replay.c has its own to say about these */
  } else if (!options->has_jit) {
    add(out, "no-v8-events", "NODE_OPTIONS=--perf-basic-prof",
        "this node executable does not export V8's code events: JavaScript is named from "
        "/tmp/perf-PID.map, where there is one");
  } else if (!options->bytecode.proven) {
    add(out, "bytecode-layout-not-proven", "",
        "the layout of V8's interpreter frames could not be proven here and is taken from a table: "
        "names of interpreted functions may be missing");
  }
  const char *no_names = options->plan.kernel ? prof_kernel_note(recording->kernel) : NULL;
  if (no_names)
    add_kernel_names(no_names, out);
  if (options->plan.stack_dump && !options->replay_pid) {
    const struct prof_tail_counters *tail = &recording->tail.counters;
    add(out, "stack-copies", "",
        "stacks are unwound from copies of %u bytes: %llu went on beyond them, %llu were completed "
        "in live memory, %llu had changed by then, %llu could not be proven or read",
        options->plan.stack_bytes, (unsigned long long)tail->asked,
        (unsigned long long)tail->joined, (unsigned long long)tail->changed,
        (unsigned long long)(tail->unproven + tail->unreadable));
  }
  if (recording->journal.failure[0])
    add(out, "no-journal", "", "a crash would have lost this profile: no journal in %.180s",
        recording->journal.failure);
  char unseen[200];
  if (recording->timers && prof_timers_note(recording, unseen, sizeof unseen))
    add(out, "cpu-timers-unseen", "", "%s", unseen);
  if (recording->raw_failure[0])
    add(out, "raw-file", "", "the raw records are not whole: %.200s", recording->raw_failure);
  if (recording->signal_taken) {
    add(out, "sigtrap-taken", "",
        "another SIGTRAP handler was installed while we recorded: recording ended there");
  }
  if (out->budget.percent > 0)
    add_budget(recording, out);
  add_unsampled(recording, out);
  add_unread(recording, out);
  if (out->quality.spared) {
    add(out, "walks-spared", "",
        "%llu stacks were cut to their innermost frame: walking them would have taken threads more "
        "than half of their time: ask for a lower rate",
        (unsigned long long)out->quality.spared);
  }
  if (out->quality.unlisted_refused) {
    add(out, "unlisted-refused", "",
        "%llu times code was met that V8 does not list, in more places than are asked about at "
        "once: it stands there by its address",
        (unsigned long long)out->quality.unlisted_refused);
  }
  if (out->quality.handler_dropped) {
    add(out, "stacks-dropped", "",
        "%llu stacks found no room in the buffers or on a signal stack of the program's",
        (unsigned long long)out->quality.handler_dropped);
  }
  if (out->quality.inline_skipped) {
    unsigned long long places = out->quality.inline_skipped;
    add(out, "inline-skipped", "",
        "%llu place%s no inlined functions: reading debug information took longer than %u ms",
        places, places == 1 ? " has" : "s have",
        (unsigned)(prof_symbols_stats(recording->symbols).inline_ns / 1000000));
  }
}
