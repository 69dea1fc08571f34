/* match, tally, spill, pace: hits with invented times -> calls, figures, bytes, decisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "trace/exits.h"
#include "trace/flow.h"
#include "trace/match.h"
#include "trace/pace.h"
#include "trace/plan.h"
#include "trace/spill.h"
#include "trace/tally.h"

enum { A, B, C, D, J, FUNCS }; /* D hands jobs over, J runs them */
enum { IN = PROF_SITE_ENTRY, OUT = PROF_SITE_RETURN, TAIL = PROF_SITE_TAIL };

struct seen {
  char text[4096]; /* "+A1 +B2<1 -B2 .." by event: kind, function, frame, parent */
  struct prof_tally *tally;
  struct prof_spill *spill;
};

static void on_event(void *user, const struct prof_call_event *e) {
  static const char kinds[] = " +-~?!*";
  struct seen *seen = user;
  size_t used = strlen(seen->text);
  if (used + 64 < sizeof seen->text)
    snprintf(seen->text + used, sizeof seen->text - used, "%s%c%c%d<%d", used ? " " : "",
             kinds[e->kind], 'A' + (char)e->func, (int)e->frame, (int)e->parent);
  if (seen->spill)
    prof_spill_add(seen->spill, e);
}

static void on_end(void *user, const struct prof_call_end *end) {
  prof_tally_add(((struct seen *)user)->tally, end);
}

static struct seen seen;

static struct prof_match *begin(uint32_t depth) {
  struct prof_match_sink sink = {&seen, on_event, on_end};
  seen.text[0] = 0;
  prof_tally_free(seen.tally);
  seen.tally = prof_tally_create(FUNCS);
  seen.spill = NULL;
  return prof_match_create(&sink, depth);
}

static struct prof_match_counts end(struct prof_match *match) {
  prof_match_finish(match);
  struct prof_match_counts counts = prof_match_counts(match);
  prof_match_free(match);
  return counts;
}

static void hit(struct prof_match *match, uint32_t func, uint8_t kind, uint64_t sp, uint64_t time) {
  prof_match_hit(match, 7, func, kind, sp, time, 1);
}

static void test_nested_and_recursive_calls(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, IN, 0xf00, 110);
  hit(m, B, IN, 0xe00, 120);
  hit(m, B, OUT, 0xe00, 150);
  hit(m, B, OUT, 0xf00, 160);
  hit(m, A, OUT, 0x1000, 200);
  struct prof_match_counts counts = end(m);
  assert_string_equal(seen.text, "+A1<0 +B2<1 +B3<2 -B3<2 -B2<1 -A1<0");
  assert_int_equal(counts.unmatched, 0);
  const struct prof_tally_row *b = prof_tally_at(seen.tally, B);
  assert_int_equal(b->calls, 2);
  assert_int_equal(b->self_ns, 50);
  assert_int_equal(b->total_ns, 50); /* the inner call's time is not counted twice */
  assert_int_equal(b->sum_ns, 80);
  assert_int_equal(b->max_ns, 50);
  assert_int_equal(prof_tally_at(seen.tally, A)->self_ns, 50);
  assert_int_equal(prof_tally_at(seen.tally, A)->total_ns, 100);
  size_t count;
  const struct prof_tally_pair *pairs = prof_tally_pairs(seen.tally, &count);
  assert_int_equal(count, 3); /* B from B, B from A, A from none */
  assert_int_equal(pairs[0].func, B);
  assert_int_equal(pairs[0].caller, B);
  assert_int_equal(pairs[2].caller, PROF_NO_FUNC);
}

static void test_a_tail_call_has_the_place_of_its_caller(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, IN, 0xf00, 110);
  hit(m, B, TAIL, 0xf00, 120);
  hit(m, C, IN, 0xf00, 121);
  hit(m, C, OUT, 0xf00, 130);
  hit(m, A, OUT, 0x1000, 140);
  end(m);
  assert_string_equal(seen.text, "+A1<0 +B2<1 ~B2<1 +C3<1 -C3<1 -A1<0");
  assert_int_equal(prof_tally_at(seen.tally, B)->timed, 1);
}

static void test_a_jump_without_a_probe_ends_the_call_unseen(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, IN, 0xf00, 110);
  hit(m, C, IN, 0xf00, 121); /* at B's place: B is gone */
  hit(m, C, OUT, 0xf00, 130);
  hit(m, A, OUT, 0x1000, 140);
  end(m);
  assert_string_equal(seen.text, "+A1<0 +B2<1 ?B2<1 +C3<1 -C3<1 -A1<0");
  assert_int_equal(prof_tally_at(seen.tally, B)->unseen, 1);
  assert_int_equal(prof_tally_at(seen.tally, B)->self_ns, 0);
  assert_int_equal(prof_tally_at(seen.tally, A)->self_ns, 31); /* all but C's */
}

static void test_what_an_exception_or_longjmp_leaves_is_ended_by_what_comes_below_it(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, IN, 0xf00, 110);
  hit(m, C, IN, 0xe00, 120); /* throws to A */
  hit(m, A, OUT, 0x1000, 200);
  hit(m, A, IN, 0x1000, 300);
  hit(m, B, IN, 0xf00, 310);  /* jumps to below A, */
  hit(m, C, IN, 0x1080, 320); /* which is seen by a call from there */
  hit(m, C, OUT, 0x1080, 330);
  struct prof_match_counts counts = end(m);
  assert_string_equal(seen.text, "+A1<0 +B2<1 +C3<2 ?C3<2 ?B2<1 -A1<0 "
                                 "+A4<0 +B5<4 ?B5<4 ?A4<0 +C6<0 -C6<0");
  assert_int_equal(counts.unmatched, 0);
  assert_int_equal(prof_tally_at(seen.tally, A)->timed, 1);
  assert_int_equal(prof_tally_at(seen.tally, A)->self_ns, 100);
}

static void test_another_stack_leaves_open_calls_alone(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, IN, 0x70000000, 110); /* a new stack, far above */
  hit(m, C, IN, 0x6ffffff0, 120);
  hit(m, C, OUT, 0x6ffffff0, 130);
  hit(m, B, OUT, 0x70000000, 140);
  hit(m, C, IN, 0xf00, 145);
  hit(m, C, OUT, 0xf00, 146);
  hit(m, A, OUT, 0x1000, 150);
  end(m);
  assert_string_equal(seen.text, "+A1<0 +B2<1 +C3<2 -C3<2 -B2<1 +C4<1 -C4<1 -A1<0");
}

static void test_ends_without_a_call_change_nothing(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, OUT, 0x1000, 90); /* entered before the trace */
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, OUT, 0xf00, 110); /* its entry was lost */
  hit(m, A, OUT, 0x1000, 150);
  assert_int_equal(end(m).unmatched, 2);
  assert_string_equal(seen.text, "+A1<0 -A1<0");
}

static void test_threads_are_apart_and_their_end_ends_their_calls(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  prof_match_hit(m, 1, A, IN, 0x1000, 100, 1);
  prof_match_hit(m, 2, A, IN, 0x1000, 101, 1);
  assert_int_equal(prof_match_running(m, 1), A);
  prof_match_thread_ended(m, 1, 110);
  assert_int_equal(prof_match_running(m, 1), PROF_NO_FUNC);
  prof_match_hit(m, 1, B, IN, 0x900, 120, 1); /* its number is another's now */
  prof_match_hit(m, 2, A, OUT, 0x1000, 130, 1);
  end(m);
  assert_string_equal(seen.text, "+A1<0 +A2<0 ?A1<0 +B3<0 -A2<0");
  assert_int_equal(prof_tally_at(seen.tally, B)->open, 1);
  assert_int_equal(prof_tally_at(seen.tally, A)->unseen, 1);
}

static void test_a_hit_that_comes_by_two_events_counts_once(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  prof_match_hit(m, 7, A, IN, 0x1000, 100, 1);
  prof_match_hit(m, 7, A, IN, 0x1000, 101, 2);
  prof_match_hit(m, 7, A, OUT, 0x1000, 200, 1);
  prof_match_hit(m, 7, A, OUT, 0x1000, 201, 2);
  prof_match_hit(m, 7, A, IN, 0x1000, 300, 2);
  prof_match_hit(m, 7, A, OUT, 0x1000, 310, 2);
  /* Another CPU's event has another id too: that is another hit. */
  prof_match_hit(m, 7, B, PROF_SITE_INSTANT, 0x1000, 400, 2);
  prof_match_hit(m, 7, B, PROF_SITE_INSTANT, 0x1000, 410, 1ull << 32 | 3);
  struct prof_match_counts counts = end(m);
  assert_int_equal(counts.twice, 2);
  assert_int_equal(prof_tally_at(seen.tally, B)->calls, 2);
  assert_int_equal(counts.unmatched, 0);
  assert_string_equal(seen.text, "+A1<0 -A1<0 +A2<0 -A2<0 +B3<0 -B3<0 +B4<0 -B4<0");
}

static void test_a_function_of_one_instruction_and_depth(void **state) {
  struct prof_match *m = begin(1);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, PROF_SITE_INSTANT, 0xf00, 110);
  hit(m, A, OUT, 0x1000, 120);
  struct prof_match_counts counts = end(m);
  assert_string_equal(seen.text, "+A1<0 -A1<0"); /* one deep: B has figures, no events */
  assert_int_equal(counts.deeper, 1);
  assert_int_equal(prof_tally_at(seen.tally, B)->timed, 1);
  assert_int_equal(prof_tally_at(seen.tally, B)->sum_ns, 0);
}

static void test_a_function_whose_ends_cannot_be_seen_is_nobodys_caller(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  hit(m, A, IN, 0x1000, 100);
  hit(m, B, PROF_SITE_COUNT, 0xf00, 110);
  hit(m, C, IN, 0xe00, 120); /* below B's place: of A, for all that is known */
  hit(m, C, OUT, 0xe00, 130);
  hit(m, A, OUT, 0x1000, 140);
  end(m);
  assert_string_equal(seen.text, "+A1<0 +B2<1 ?B2<1 +C3<1 -C3<1 -A1<0");
  assert_int_equal(prof_tally_at(seen.tally, B)->unseen, 1);
}

/* By a thread: a spawn's, or a run's, whole record. */
static void spawn(struct prof_match *m, uint32_t tid, uint64_t job, uint64_t time) {
  if (prof_match_hit(m, tid, D, PROF_SITE_SPAWN, 0x100, time, 1))
    prof_match_spawn(m, tid, job, time);
}

static void run(struct prof_match *m, uint32_t tid, uint64_t sp, uint64_t job, uint64_t time) {
  if (prof_match_hit(m, tid, J, IN, sp, time, 1))
    prof_match_run(m, tid, job);
}

static const struct prof_tally_pair *pair(uint32_t func, uint32_t caller, bool crossed) {
  size_t count;
  const struct prof_tally_pair *pairs = prof_tally_pairs(seen.tally, &count);
  for (size_t i = 0; i < count; i++)
    if (pairs[i].func == func && pairs[i].caller == caller && pairs[i].is_crossed == crossed)
      return &pairs[i];
  return NULL;
}

static void test_a_job_on_another_thread_is_charged_to_who_handed_it_over(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  prof_match_hit(m, 1, A, IN, 0x1000, 100, 1);
  spawn(m, 1, 0xabc0, 110);
  run(m, 2, 0x9000, 0xabc0, 120);
  prof_match_hit(m, 2, B, IN, 0x8f00, 130, 1);
  spawn(m, 2, 0xabd0, 132); /* by B */
  prof_match_hit(m, 2, B, OUT, 0x8f00, 150, 1);
  spawn(m, 2, 0xabe0, 155); /* by the job itself: A's still */
  prof_match_hit(m, 2, J, OUT, 0x9000, 160, 1);
  prof_match_hit(m, 1, A, OUT, 0x1000, 170, 1);
  run(m, 3, 0x7000, 0xabd0, 200); /* when B is long over */
  prof_match_hit(m, 3, C, IN, 0x6f00, 210, 1);
  prof_match_hit(m, 3, C, OUT, 0x6f00, 215, 1);
  prof_match_hit(m, 3, J, OUT, 0x7000, 240, 1);
  run(m, 3, 0x7000, 0xabe0, 300);
  prof_match_hit(m, 3, J, OUT, 0x7000, 303, 1);
  struct prof_match_counts counts = end(m);
  assert_string_equal(seen.text, "+A1<0 +E2<0 *E2<1 +B3<2 -B3<2 -E2<0 -A1<0 "
                                 "+E4<0 *E4<3 +C5<4 -C5<4 -E4<0 +E6<0 *E6<2 -E6<0");
  assert_int_equal(counts.jobs, 3);
  assert_int_equal(counts.jobs_crossed, 3);
  assert_int_equal(prof_tally_at(seen.tally, A)->spawned, 2);
  assert_int_equal(prof_tally_at(seen.tally, A)->spawned_ns, 40 + 3);
  assert_int_equal(prof_tally_at(seen.tally, A)->total_ns, 70); /* its own stays its own */
  assert_int_equal(prof_tally_at(seen.tally, B)->spawned_ns, 40);
  assert_int_equal(pair(B, A, true)->calls, 1);
  assert_int_equal(pair(C, B, true)->calls, 1);
  assert_null(pair(B, J, false));
}

static void test_jobs_that_cannot_be_matched_are_counted_and_charged_to_nobody(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  run(m, 2, 0x9000, 0x10, 100); /* nobody was seen */
  prof_match_hit(m, 2, B, IN, 0x8f00, 110, 1);
  prof_match_hit(m, 2, B, OUT, 0x8f00, 120, 1);
  prof_match_hit(m, 2, J, OUT, 0x9000, 130, 1);
  spawn(m, 1, 0x20, 140); /* outside of all traced calls */
  run(m, 2, 0x9000, 0x20, 150);
  prof_match_hit(m, 2, J, OUT, 0x9000, 160, 1);
  prof_match_hit(m, 1, A, IN, 0x1000, 200, 1); /* one that runs its own job itself */
  spawn(m, 1, 0x30, 210);
  run(m, 1, 0xf00, 0x30, 220);
  prof_match_hit(m, 1, J, OUT, 0xf00, 230, 1);
  spawn(m, 1, 0x20, 240); /* that address again: a new job, and A's */
  prof_match_hit(m, 1, A, OUT, 0x1000, 250, 1);
  run(m, 1, 0x1000, 0x20, 260); /* on the same thread, and A is over */
  run(m, 1, 0xf80, 0x20, 261);  /* poll within poll: the same job */
  prof_match_hit(m, 1, J, OUT, 0xf80, 270, 1);
  prof_match_hit(m, 1, J, OUT, 0x1000, 280, 1);
  struct prof_match_counts counts = end(m);
  assert_int_equal(counts.jobs, 4);
  assert_int_equal(counts.jobs_outside, 1);
  assert_int_equal(counts.jobs_inside, 1);
  assert_int_equal(counts.jobs_crossed, 1);
  assert_int_equal(prof_tally_at(seen.tally, A)->spawned, 1);
  assert_int_equal(prof_tally_at(seen.tally, A)->spawned_ns, 20);
  assert_int_equal(pair(B, J, false)->calls, 1);
  assert_non_null(pair(J, A, false)); /* its own caller where it runs inside */
}

static void test_jobs_are_forgotten_rather_than_grow_without_end(void **state) {
  struct prof_flow flow = {0};
  (void)state;
  for (uint64_t job = 0; job <= PROF_FLOW_JOBS_MAX; job++)
    assert_int_equal(prof_flow_put(&flow, &(struct prof_flow_spawn){.job = job * 64}), 0);
  assert_int_equal(flow.forgotten, PROF_FLOW_JOBS_MAX);
  assert_null(prof_flow_find(&flow, 0));
  assert_int_equal(prof_flow_find(&flow, (uint64_t)PROF_FLOW_JOBS_MAX * 64)->job,
                   (uint64_t)PROF_FLOW_JOBS_MAX * 64);
  prof_flow_free(&flow);
}

static void test_a_jump_leaves_unless_its_target_is_the_functions_own(void **state) {
  struct prof_call_func func = {.address = 0x1000, .size = 0x100, .part = 0x5000, .part_size = 16};
  struct prof_call_func whole = {.address = 0x1000, .size = 0x100};
  struct prof_call_site site = {.address = 0x1080};
  struct prof_call_plan plan = {.funcs = &func, .sites = &site};
  const uint64_t ip = 0x7f0000001080;
  (void)state;
  assert_false(prof_call_plan_leaves(&plan, 0, ip, 0x7f0000001000));
  assert_false(prof_call_plan_leaves(&plan, 0, ip, 0x7f00000010ff));
  assert_true(prof_call_plan_leaves(&plan, 0, ip, 0x7f0000001100));
  assert_true(prof_call_plan_leaves(&plan, 0, ip, 0x7f0000000fff));
  assert_false(prof_call_plan_leaves(&plan, 0, ip, 0x7f0000005008));
  assert_true(prof_call_plan_leaves(&plan, 0, ip, 0x7f0000005010));
  plan.funcs = &whole;
  assert_true(prof_call_plan_leaves(&plan, 0, ip, 0x7f0000000000));
}

static void test_calls_nested_too_deep_are_counted_and_end_quietly(void **state) {
  struct prof_match *m = begin(0);
  (void)state;
  uint64_t deep = PROF_MATCH_DEPTH + 1000;
  for (uint64_t i = 0; i < deep; i++)
    hit(m, A, IN, 0x10000000 - i * 16, 100 + i);
  for (uint64_t i = deep; i-- > 0;)
    hit(m, A, OUT, 0x10000000 - i * 16, 100 + deep + (deep - i));
  struct prof_match_counts counts = end(m);
  assert_int_equal(counts.too_deep, 1000);
  assert_int_equal(counts.unmatched, 1000);
  assert_int_equal(prof_tally_at(seen.tally, A)->timed, PROF_MATCH_DEPTH);
  assert_int_equal(prof_tally_at(seen.tally, A)->total_ns,
                   prof_tally_at(seen.tally, A)->max_ns); /* the outermost, once */
}

static void test_quantiles_are_within_a_sixteenth(void **state) {
  struct prof_tally *tally = prof_tally_create(1);
  (void)state;
  for (uint64_t ns = 1; ns <= 100000; ns++) {
    struct prof_call_end call = {
        .total_ns = ns, .how = PROF_CALL_EXIT, .caller = PROF_NO_FUNC, .spawner = PROF_NO_FUNC};
    prof_tally_add(tally, &call);
  }
  const struct prof_tally_row *row = prof_tally_at(tally, 0);
  const double shares[] = {0.001, 0.5, 0.9, 0.99, 1};
  for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
    double want = shares[i] * 100000, got = (double)prof_tally_quantile(row, shares[i]);
    assert_true(got > want * (1 - 1.0 / 15) && got < want * (1 + 1.0 / 15));
  }
  uint64_t from, to, next = 0;
  for (size_t i = 0; i < 300; i++) { /* buckets touch each other */
    prof_tally_bucket(i, &from, &to);
    assert_int_equal(from, next);
    next = to;
  }
  prof_tally_free(tally);
}

static uint64_t number(const unsigned char **at) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    unsigned char byte = *(*at)++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128)
      return value;
  }
}

static void test_events_on_disk_are_what_the_header_says(void **state) {
  struct prof_spill spill;
  int fd = memfd_create("spill", 0), copy = dup(fd);
  struct prof_call_event events[] = {
      {.time_ns = 1000, .tid = 50, .func = 300, .kind = PROF_CALL_ENTRY},
      {.time_ns = 900, .tid = 40, .func = 1, .kind = PROF_CALL_ENTRY}, /* a late one */
      {.time_ns = 2000, .tid = 40, .func = 1, .kind = PROF_CALL_TAIL},
  };
  (void)state;
  assert_int_equal(prof_spill_open(&spill, fd), 0);
  for (size_t i = 0; i < 3; i++)
    prof_spill_add(&spill, &events[i]);
  prof_spill_close(&spill);
  assert_int_equal(spill.events, 3);
  unsigned char bytes[256];
  ssize_t size = pread(copy, bytes, sizeof bytes, 0);
  assert_int_equal(size, spill.bytes);
  assert_memory_equal(bytes, PROF_SPILL_MAGIC, 16);
  struct prof_spill_head head;
  memcpy(&head, bytes + 16, sizeof head);
  assert_memory_equal(&head.magic, "CALL", 4);
  assert_int_equal(head.events, 3);
  assert_int_equal(16 + sizeof head + head.bytes, size);
  const unsigned char *at = bytes + 16 + sizeof head;
  const uint64_t want[] = {1, 2000, 100, 300, 1, 199, 19, 1, 3, 2200, 0};
  for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
    assert_int_equal(number(&at), want[i]);
  assert_ptr_equal(at, bytes + size);
  close(copy);
}

static void test_a_full_disk_leaves_whole_chunks(void **state) {
  char path[] = "/tmp/spill-XXXXXX";
  int fd = mkstemp(path);
  struct rlimit before, small = {PROF_SPILL_CHUNK_BYTES * 3, RLIM_INFINITY};
  struct prof_spill spill;
  (void)state;
  assert_true(fd >= 0);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small.rlim_max = before.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  assert_int_equal(prof_spill_open(&spill, dup(fd)), 0);
  uint64_t added = 400000;
  for (uint64_t i = 0; i < added; i++) {
    struct prof_call_event event = {.time_ns = i * 1000, .tid = 5, .kind = PROF_CALL_ENTRY};
    prof_spill_add(&spill, &event);
  }
  prof_spill_close(&spill);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_true(spill.failure != 0);
  assert_true(spill.events > 0 && spill.missed > 0);
  assert_int_equal(spill.events + spill.missed, added);
  assert_int_equal(lseek(fd, 0, SEEK_END), spill.bytes); /* no chunk cut short */
  close(fd);
  unlink(path);
}

static void test_the_dearest_functions_go_first(void **state) {
  const double cost[] = {10e6, 200e6, 0, 90e6};
  uint32_t dropped[4];
  (void)state;
  /* 300 of 1300 ms: 30 % of the command's own 1000. */
  assert_int_equal(prof_pace_choose(cost, 4, 1300e6, 31, dropped), 0);
  assert_int_equal(prof_pace_choose(cost, 4, 1300e6, 20, dropped), 1);
  assert_int_equal(dropped[0], 1);
  assert_int_equal(prof_pace_choose(cost, 4, 1300e6, 5, dropped), 2);
  assert_int_equal(dropped[1], 3);
  assert_int_equal(prof_pace_choose(cost, 4, 1300e6, 0, dropped), 0);  /* no budget */
  assert_int_equal(prof_pace_choose(cost, 4, 20e6, 1, dropped), 0);    /* too short to tell */
  assert_int_equal(prof_pace_choose(cost, 4, 299e6, 100, dropped), 2); /* all there is */
  const double same[] = {50e6, 50e6, 60e6, 50e6};
  assert_int_equal(prof_pace_choose(same, 4, 1210e6, 12, dropped), 3); /* 210 of 1000 to below 96 */
  assert_memory_equal(dropped, ((uint32_t[]){2, 0, 1}), 3 * sizeof *dropped);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nested_and_recursive_calls),
      cmocka_unit_test(test_a_tail_call_has_the_place_of_its_caller),
      cmocka_unit_test(test_a_jump_without_a_probe_ends_the_call_unseen),
      cmocka_unit_test(test_what_an_exception_or_longjmp_leaves_is_ended_by_what_comes_below_it),
      cmocka_unit_test(test_another_stack_leaves_open_calls_alone),
      cmocka_unit_test(test_ends_without_a_call_change_nothing),
      cmocka_unit_test(test_threads_are_apart_and_their_end_ends_their_calls),
      cmocka_unit_test(test_a_hit_that_comes_by_two_events_counts_once),
      cmocka_unit_test(test_a_function_of_one_instruction_and_depth),
      cmocka_unit_test(test_a_function_whose_ends_cannot_be_seen_is_nobodys_caller),
      cmocka_unit_test(test_a_job_on_another_thread_is_charged_to_who_handed_it_over),
      cmocka_unit_test(test_jobs_that_cannot_be_matched_are_counted_and_charged_to_nobody),
      cmocka_unit_test(test_jobs_are_forgotten_rather_than_grow_without_end),
      cmocka_unit_test(test_a_jump_leaves_unless_its_target_is_the_functions_own),
      cmocka_unit_test(test_calls_nested_too_deep_are_counted_and_end_quietly),
      cmocka_unit_test(test_quantiles_are_within_a_sixteenth),
      cmocka_unit_test(test_events_on_disk_are_what_the_header_says),
      cmocka_unit_test(test_a_full_disk_leaves_whole_chunks),
      cmocka_unit_test(test_the_dearest_functions_go_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
