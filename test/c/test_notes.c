/* notes: what a result says about what it lacks, from recordings of this very test program. Skipped
 * with the reason where perf_event_open is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "session/recording.h"
#include "session/result.h"

#define SECOND_NS 1000000000ull

static atomic_bool is_over;

static void *burn(void *argument) {
  while (!is_over)
    for (volatile int i = 0; i < 1000; i++)
      ;
  return argument;
}

/* 0.2 s of a thread of this program, whose debug information may be read for so long. */
static struct prof_recording *record(uint64_t inline_ns) {
  struct prof_recording *recording = calloc(1, sizeof *recording);
  struct prof_recording_options options = {.max_words = 512, .skip_tid = (int)syscall(SYS_gettid)};
  struct prof_error error = {0};
  pthread_t thread;
  sigset_t trap;
  is_over = false;
  assert_int_equal(pthread_create(&thread, NULL, burn, NULL), 0);
  sigemptyset(&trap);
  sigaddset(&trap, SIGTRAP);
  pthread_sigmask(SIG_BLOCK, &trap, NULL); /* as the profiler's thread */
  if (prof_choose_plan(&prof_os_real, "cpu-clock:u", 1000, PROF_CALL_GRAPH_FULL, &options.plan,
                       &error) ||
      prof_recording_start(recording, &options, &error)) {
    free(recording);
    is_over = true;
    pthread_join(thread, NULL);
    assert_int_equal(error.status, PROF_PERMISSION);
    print_message("skipped: %s\n", error.message);
    skip();
  }
  prof_symbols_inline_budget(recording->symbols, inline_ns);
  for (int i = 0; i < 20; i++) {
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    prof_recording_drain(recording);
  }
  is_over = true;
  pthread_join(thread, NULL);
  prof_recording_finish(recording);
  return recording;
}

static const struct prof_plan_note *note_of(const struct prof_result *result, const char *code) {
  for (int i = 0; i < result->note_count; i++)
    if (strcmp(result->notes[i].code, code) == 0)
      return &result->notes[i];
  return NULL;
}

static void inlined_functions_left_out_are_a_warning(void **state) {
  struct prof_recording *recording = record(1);
  char wanted[160];
  (void)state;
  struct prof_result *first = prof_result_build(recording);
  struct prof_result *second = prof_result_build(recording);
  assert_non_null(first);
  assert_non_null(second);
  assert_true(first->quality.samples > 20);
  assert_true(first->quality.inline_skipped > 0);
  /* Each place once, however often it was named ahead or for another result. */
  assert_int_equal(first->quality.inline_skipped, second->quality.inline_skipped);
  assert_true(first->quality.inline_skipped <= recording->tree.key_count);
  const struct prof_plan_note *note = note_of(first, "inline-skipped");
  assert_non_null(note);
  uint64_t places = first->quality.inline_skipped;
  snprintf(wanted, sizeof wanted, "%lu place%s no inlined functions: ", (unsigned long)places,
           places == 1 ? " has" : "s have");
  assert_memory_equal(note->message, wanted, strlen(wanted));
  assert_string_equal(note->fix, "");
  prof_result_free(first);
  prof_result_free(second);
  prof_recording_free(recording);
  free(recording);
}

static void time_enough_is_no_warning(void **state) {
  struct prof_recording *recording = record(60 * SECOND_NS);
  (void)state;
  struct prof_result *result = prof_result_build(recording);
  assert_non_null(result);
  assert_true(result->quality.samples > 20);
  assert_int_equal(result->quality.inline_skipped, 0);
  assert_null(note_of(result, "inline-skipped"));
  prof_result_free(result);
  prof_recording_free(recording);
  free(recording);
}

static void names_that_cannot_be_had_are_a_warning(void **state) {
  struct prof_recording *recording = record(60 * SECOND_NS);
  (void)state;
  struct prof_result *before = prof_result_build(recording);
  assert_non_null(before);
  assert_int_equal(before->quality.refused_modules + before->quality.refused_tables, 0);
  assert_null(note_of(before, "files-unread"));
  assert_null(note_of(before, "interpreter-unnamed"));
  assert_null(note_of(before, "code-events-dropped"));

  /* A file of text, mapped executable. */
  assert_int_equal(
      prof_modules_mapped(recording->modules, recording->space, 0x10000, 4096, 0, "/etc/passwd"),
      -1);
  /* One frame is nothing to speak of; one in a hundred samples is. */
  recording->splice.unnamed_interpreter = 1;
  struct prof_result *first = prof_result_build(recording);
  recording->splice.unnamed_interpreter = before->quality.samples / 100 + 1;
  struct prof_result *second = prof_result_build(recording);
  assert_non_null(first);
  assert_non_null(second);
  assert_int_equal(first->quality.refused_modules, 1);
  assert_int_equal(first->quality.unnamed_interpreter, 1);
  assert_true(!note_of(first, "interpreter-unnamed") || before->quality.samples < 100);
  assert_non_null(note_of(second, "interpreter-unnamed"));
  const struct prof_plan_note *note = note_of(first, "files-unread");
  assert_non_null(note);
  assert_string_equal(note->message,
                      "1 executable mappings are of no ELF file that can be read, 0 files have "
                      "symbols that cannot be read: code there has no names");
  prof_result_free(before);
  prof_result_free(first);
  prof_result_free(second);
  prof_recording_free(recording);
  free(recording);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inlined_functions_left_out_are_a_warning),
      cmocka_unit_test(time_enough_is_no_warning),
      cmocka_unit_test(names_that_cannot_be_had_are_a_warning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
