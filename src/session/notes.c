#include "session/notes.h"

#include <stdarg.h>
#include <stdio.h>

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
  if (options->plan.kernel && !prof_kernel_available(recording->kernel)) {
    const char *note = prof_kernel_note(recording->kernel);
    add(out, "no-kernel-symbols", "sudo sysctl kernel.kptr_restrict=0", "%s",
        note ? note : "kernel functions have no names");
  }
  if (options->plan.stack_dump && !options->replay_pid) {
    const struct prof_tail_counters *tail = &recording->tail.counters;
    add(out, "stack-copies", "",
        "stacks are unwound from copies of %u bytes: %llu went on beyond them, %llu were completed "
        "in live memory, %llu had changed by then, %llu could not be proven or read",
        options->plan.stack_bytes, (unsigned long long)tail->asked,
        (unsigned long long)tail->joined, (unsigned long long)tail->changed,
        (unsigned long long)(tail->unproven + tail->unreadable));
  }
  if (recording->signal_taken) {
    add(out, "sigtrap-taken", "",
        "another SIGTRAP handler was installed while we recorded: recording ended there");
  }
  if (out->quality.handler_dropped) {
    add(out, "stacks-dropped", "", "%llu stacks found no room in the buffers",
        (unsigned long long)out->quality.handler_dropped);
  }
}
