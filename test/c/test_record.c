/* record: recorded bytes, built bytes, cut bytes, random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/record.h"

#include "fixtures/records.h"

struct totals {
  int samples, in_kernel, with_chain, with_regs, with_stack, maps, comms, forks, exits, ids;
  uint64_t last_time, period;
  uint32_t tid;
  bool chains_in_kernel, stacks_hold_regs;
};

static struct totals decode_all(const struct prof_record_layout *layout, const uint64_t *words,
                                size_t count, uint32_t pid) {
  struct totals t = {.chains_in_kernel = true, .stacks_hold_regs = true};
  size_t at = 0;
  while (at < count) {
    const struct perf_event_header *header = (const struct perf_event_header *)(words + at);
    struct prof_record r;
    uint64_t time_ns;
    assert_int_equal(prof_record_decode(layout, header, &r), 0);
    assert_int_equal(prof_record_time(layout, header, &time_ns), 0);
    assert_int_equal(time_ns, r.time_ns);
    assert_int_equal(r.pid, pid);
    assert_true(r.time_ns > 0 && r.id > 0 && r.cpu < 2);
    t.ids += r.id != 0;
    t.last_time = r.time_ns;
    switch (r.type) {
    case PERF_RECORD_SAMPLE:
      t.samples++;
      t.tid = r.tid;
      t.period += r.sample.period;
      t.in_kernel += r.sample.in_kernel;
      t.with_chain += r.sample.chain_count > 0;
      t.with_regs += r.sample.has_user_regs;
      t.with_stack += r.sample.stack_bytes > 0;
      assert_int_equal(r.sample.in_kernel, r.sample.ip >> 63);
      assert_int_equal(r.sample.user_chain_count, 0);
      if (r.sample.in_kernel)
        assert_int_equal(r.sample.kernel_chain[0], r.sample.ip);
      else
        assert_int_equal(r.sample.user_ip, r.sample.ip);
      for (uint32_t i = 0; i < r.sample.chain_count; i++)
        t.chains_in_kernel &= r.sample.kernel_chain[i] >> 63;
      if (r.sample.stack_bytes)
        /* The frame pointer's slot lies in the copy: the caller's frame is above it. */
        t.stacks_hold_regs &= r.sample.user_bp - r.sample.user_sp < r.sample.stack_bytes;
      break;
    case PERF_RECORD_MMAP2:
      assert_string_equal(r.mmap.path, "/dev/zero");
      assert_int_equal(r.mmap.length, 4096);
      assert_int_equal(r.mmap.offset, 0);
      assert_true(r.mmap.executable);
      assert_null(r.mmap.build_id);
      t.maps++;
      break;
    case PERF_RECORD_COMM:
      assert_string_equal(r.comm.name, "fixture");
      assert_false(r.comm.exec);
      t.comms++;
      break;
    case PERF_RECORD_FORK:
      assert_int_equal(r.writer_tid, pid);
      assert_int_equal(r.task.ptid, pid);
      assert_true(r.tid > pid);
      t.forks++;
      break;
    case PERF_RECORD_EXIT:
      assert_int_equal(r.tid, r.writer_tid);
      t.exits++;
      break;
    default:
      fail_msg("type %u", r.type);
    }
    at += header->size / 8;
  }
  assert_int_equal(at, count);
  return t;
}

static void recorded_chains_are_read(void **state) {
  struct totals t;
  (void)state;
  t = decode_all(&CHAINS_LAYOUT, CHAINS, sizeof CHAINS / 8, CHAINS_PID);
  assert_int_equal(t.samples, 6);
  assert_int_equal(t.in_kernel, 3);
  assert_int_equal(t.with_chain, 3);
  assert_int_equal(t.with_regs, 6);
  assert_int_equal(t.with_stack, 0);
  assert_int_equal(t.period, 6000000); /* cpu-clock at 1000 Hz, ns */
  assert_int_equal(t.tid, CHAINS_PID + 1);
  assert_true(t.chains_in_kernel);
  assert_int_equal(t.maps + t.comms + t.forks + t.exits, 4);
}

static void recorded_dumps_are_read(void **state) {
  struct totals t;
  (void)state;
  t = decode_all(&DUMPS_LAYOUT, DUMPS, sizeof DUMPS / 8, DUMPS_PID);
  assert_int_equal(t.samples, 6);
  assert_int_equal(t.with_stack, 6);
  assert_true(t.stacks_hold_regs);
  assert_true(t.chains_in_kernel);
  assert_int_equal(t.maps + t.comms + t.forks + t.exits, 4);
}

/* Builds a record word by word. */
struct builder {
  uint64_t words[512];
  size_t count;
};

static void add(struct builder *b, uint64_t word) {
  b->words[b->count++] = word;
}

static const struct perf_event_header *end(struct builder *b, uint32_t type, uint16_t misc) {
  struct perf_event_header header = {.type = type, .misc = misc, .size = (uint16_t)(b->count * 8)};
  memcpy(b->words, &header, sizeof header);
  return (const struct perf_event_header *)b->words;
}

static void every_field_in_front_is_passed_over(void **state) {
  /* As other programs' perf.data have them: all fields up to the stack. */
  struct prof_record_layout layout = {
      .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                     PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
                     PERF_SAMPLE_PERIOD | PERF_SAMPLE_READ | PERF_SAMPLE_CALLCHAIN |
                     PERF_SAMPLE_RAW | PERF_SAMPLE_BRANCH_STACK | PERF_SAMPLE_REGS_USER |
                     PERF_SAMPLE_STACK_USER | PERF_SAMPLE_WEIGHT,
      .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED |
                     PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_LOST,
      .regs_user = 0xff0fff, /* as perf record: all but the data segments */
      .branch_sample_type = PERF_SAMPLE_BRANCH_HW_INDEX,
  };
  struct builder b = {.count = 1};
  struct prof_record r;
  (void)state;
  add(&b, 77);                  /* identifier */
  add(&b, 0x401000);            /* ip */
  add(&b, 11ull | 12ull << 32); /* pid, tid */
  add(&b, 123456789);           /* time */
  add(&b, 0xadd);               /* addr */
  add(&b, 77);                  /* id */
  add(&b, 78);                  /* stream id */
  add(&b, 5ull | 99ull << 32);  /* cpu, reserved */
  add(&b, 4242);                /* period */
  add(&b, 2);                   /* read: 2 counters, times, then value id lost each */
  for (int i = 0; i < 2 + 2 * 3; i++)
    add(&b, 0xbad);
  add(&b, 6); /* callchain */
  add(&b, (uint64_t)PERF_CONTEXT_KERNEL);
  add(&b, 0xffffffff81000001);
  add(&b, 0xffffffff81000002);
  add(&b, (uint64_t)PERF_CONTEXT_USER);
  add(&b, 0x401000);
  add(&b, 0x402000);
  add(&b, 12ull | 0xbadull << 32); /* raw: size 12, 12 bytes */
  add(&b, 0xbad);
  add(&b, 1); /* one branch, hw index, from to flags */
  for (int i = 0; i < 4; i++)
    add(&b, 0xbad);
  add(&b, PERF_SAMPLE_REGS_ABI_64);
  for (uint64_t i = 0; i < 24; i++)
    if (layout.regs_user >> i & 1)
      add(&b, 0x1000 + i);
  add(&b, 24); /* stack */
  add(&b, 0x1111);
  add(&b, 0x2222);
  add(&b, 0x3333);
  add(&b, 16); /* of them valid */
  add(&b, 1);  /* weight */
  assert_int_equal(
      prof_record_decode(&layout, end(&b, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER), &r), 0);
  assert_int_equal(r.id, 77);
  assert_int_equal(r.sample.ip, 0x401000);
  assert_int_equal(r.pid, 11);
  assert_int_equal(r.tid, 12);
  assert_int_equal(r.writer_tid, 12);
  assert_int_equal(r.time_ns, 123456789);
  assert_int_equal(r.cpu, 5);
  assert_int_equal(r.sample.period, 4242);
  assert_false(r.sample.in_kernel);
  assert_int_equal(r.sample.chain_count, 2);
  assert_int_equal(r.sample.kernel_chain[1], 0xffffffff81000002);
  assert_int_equal(r.sample.user_chain_count, 2);
  assert_int_equal(r.sample.user_chain[1], 0x402000);
  assert_true(r.sample.has_user_regs);
  /* perf: ax bx cx dx si di bp sp ip flags cs ss .. r8; DWARF: ax dx cx bx si di bp sp r8.. ip */
  assert_int_equal(r.sample.user_regs.r[0], 0x1000);
  assert_int_equal(r.sample.user_regs.r[1], 0x1003);
  assert_int_equal(r.sample.user_regs.r[3], 0x1001);
  assert_int_equal(r.sample.user_regs.r[8], 0x1010);
  assert_int_equal(r.sample.user_regs.r[15], 0x1017);
  assert_int_equal(r.sample.user_ip, 0x1008);
  assert_int_equal(r.sample.user_sp, 0x1007);
  assert_int_equal(r.sample.user_bp, 0x1006);
  assert_int_equal(r.sample.user_regs.valid, 0x1ffff);
  assert_int_equal(r.sample.stack_bytes, 16);
  assert_int_equal(r.sample.stack[8], 0x22);
}

static void samples_without_user_registers_say_so(void **state) {
  struct prof_record_layout layout = {.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
                                      .regs_user = 0x1c0};
  struct builder b = {.count = 1};
  struct prof_record r;
  (void)state;
  add(&b, PERF_SAMPLE_REGS_ABI_NONE);
  add(&b, 0); /* no stack: no dyn_size either */
  assert_int_equal(
      prof_record_decode(&layout, end(&b, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL), &r), 0);
  assert_false(r.sample.has_user_regs);
  assert_true(r.sample.in_kernel);
  assert_null(r.sample.stack);
  b = (struct builder){.count = 1};
  add(&b, PERF_SAMPLE_REGS_ABI_32); /* their meaning is another */
  for (int i = 0; i < 3; i++)
    add(&b, 5);
  add(&b, 0);
  assert_int_equal(prof_record_decode(&layout, end(&b, PERF_RECORD_SAMPLE, 2), &r), 0);
  assert_false(r.sample.has_user_regs);
}

static void other_records_carry_their_trailer(void **state) {
  struct prof_record_layout layout = {.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                                                     PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
                                                     PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER,
                                      .sample_id_all = true};
  struct builder b = {.count = 1};
  struct prof_record r;
  (void)state;
#define TRAILER(b)                                                                                 \
  add(b, 3ull | 4ull << 32), add(b, 1000), add(b, 77), add(b, 78), add(b, 6), add(b, 77)
  add(&b, 70); /* LOST: id, count */
  add(&b, 1234);
  TRAILER(&b);
  assert_int_equal(prof_record_decode(&layout, end(&b, PERF_RECORD_LOST, 0), &r), 0);
  assert_int_equal(r.lost.count, 1234);
  assert_int_equal(r.time_ns, 1000);
  assert_int_equal(r.tid, 4);
  assert_int_equal(r.cpu, 6);

  b = (struct builder){.count = 1};
  add(&b, 9);
  TRAILER(&b);
  assert_int_equal(prof_record_decode(&layout, end(&b, PERF_RECORD_LOST_SAMPLES, 0), &r), 0);
  assert_int_equal(r.lost.count, 9);
  assert_int_equal(r.id, 77);

  b = (struct builder){.count = 1};
  TRAILER(&b);
  assert_int_equal(
      prof_record_decode(&layout,
                         end(&b, PERF_RECORD_SWITCH,
                             PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT),
                         &r),
      0);
  assert_true(r.context_switch.out && r.context_switch.preempted);

  b = (struct builder){.count = 1};
  add(&b, 555); /* THROTTLE: time, id, stream id */
  add(&b, 71);
  add(&b, 72);
  TRAILER(&b);
  assert_int_equal(prof_record_decode(&layout, end(&b, PERF_RECORD_THROTTLE, 0), &r), 0);
  assert_int_equal(r.time_ns, 555);
  assert_int_equal(r.id, 71);

  b = (struct builder){.count = 1};
  add(&b, 11ull | 12ull << 32); /* MMAP2 with a build id */
  add(&b, 0x7000);
  add(&b, 0x2000);
  add(&b, 0x1000);
  add(&b, 20ull | 0x0807060504030201ull << 32); /* size, reserved, first bytes */
  add(&b, 0);
  add(&b, 0);
  add(&b, 5); /* r-x, flags */
  memcpy(&b.words[b.count++], "/a/lib\0", 8);
  TRAILER(&b);
  assert_int_equal(
      prof_record_decode(&layout, end(&b, PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID), &r),
      0);
  assert_string_equal(r.mmap.path, "/a/lib");
  assert_int_equal(r.mmap.build_id_bytes, 20);
  assert_int_equal(r.mmap.build_id[0], 1);
  assert_true(r.mmap.executable);
  assert_int_equal(r.tid, 12);
  assert_int_equal(r.writer_tid, 4);
  /* A path without an end. */
  memcpy(&b.words[9], "/a/libxx", 8);
  assert_int_equal(prof_record_decode(&layout, (struct perf_event_header *)b.words, &r), -1);

  b = (struct builder){.count = 1}; /* one that this program does not know */
  add(&b, 1);
  TRAILER(&b);
  assert_int_equal(prof_record_decode(&layout, end(&b, 63, 0), &r), 0);
  assert_int_equal(r.time_ns, 1000);
  b = (struct builder){.count = 1}; /* perf.data's own */
  assert_int_equal(prof_record_decode(&layout, end(&b, 68, 0), &r), 0);
  assert_int_equal(r.time_ns, 0);
}

static void a_time_that_does_not_fit_is_refused(void **state) {
  const struct prof_record_layout layout = {.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
                                                           PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                                                           PERF_SAMPLE_CPU,
                                            .sample_id_all = true};
  const uint64_t words[] = {0, 1, 2, 3, 4, 5, 6};
  (void)state;
  for (uint32_t count = 0; count <= 7; count++) {
    uint64_t bytes[7], time_ns;
    memcpy(bytes, words, sizeof words);
    struct perf_event_header *header = (struct perf_event_header *)bytes;
    *header = (struct perf_event_header){.type = PERF_RECORD_SAMPLE, .size = (uint16_t)(8 * count)};
    /* header, identifier, ip, tid, time, cpu */
    assert_int_equal(prof_record_time(&layout, header, &time_ns), count < 5 ? -1 : 0);
    assert_int_equal(time_ns, count < 5 ? 0 : 4);
    header->type = PERF_RECORD_EXIT; /* header, pid and ppid, tid and ptid, time */
    assert_int_equal(prof_record_time(&layout, header, &time_ns), count < 4 ? -1 : 0);
    assert_int_equal(time_ns, count < 4 ? 0 : 3);
    header->type = PERF_RECORD_COMM; /* .., time, cpu, identifier */
    assert_int_equal(prof_record_time(&layout, header, &time_ns), count < 4 ? -1 : 0);
    assert_int_equal(time_ns, count < 4 ? 0 : count - 3);
  }
}

static void broken_counts_are_refused(void **state) {
  static const uint64_t COUNTS[] = {4, 0x10000, 1ull << 32, 1ull << 61, UINT64_MAX};
  struct prof_record r;
  (void)state;
  for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
    struct prof_record_layout chain = {.sample_type = PERF_SAMPLE_CALLCHAIN};
    struct prof_record_layout stack = {.sample_type = PERF_SAMPLE_STACK_USER};
    struct prof_record_layout branch = {.sample_type = PERF_SAMPLE_BRANCH_STACK};
    struct prof_record_layout group = {.sample_type = PERF_SAMPLE_READ,
                                       .read_format = PERF_FORMAT_GROUP};
    struct builder b = {.count = 1};
    add(&b, COUNTS[i]);
    add(&b, 1);
    assert_int_equal(prof_record_decode(&chain, end(&b, PERF_RECORD_SAMPLE, 2), &r), -1);
    assert_int_equal(prof_record_decode(&branch, end(&b, PERF_RECORD_SAMPLE, 2), &r), -1);
    assert_int_equal(prof_record_decode(&group, end(&b, PERF_RECORD_SAMPLE, 2), &r), -1);
    if (COUNTS[i] != 4)
      assert_int_equal(prof_record_decode(&stack, end(&b, PERF_RECORD_SAMPLE, 2), &r), -1);
  }
}

/* Reads everything that a result points at. */
static uint64_t touch(const struct prof_record *r) {
  uint64_t sum = 0;
  if (r->type == PERF_RECORD_SAMPLE) {
    for (uint32_t i = 0; i < r->sample.chain_count; i++)
      sum += r->sample.kernel_chain[i];
    for (uint32_t i = 0; i < r->sample.user_chain_count; i++)
      sum += r->sample.user_chain[i];
    for (uint32_t i = 0; i < r->sample.stack_bytes; i++)
      sum += r->sample.stack[i];
  } else if (r->type == PERF_RECORD_MMAP || r->type == PERF_RECORD_MMAP2) {
    sum += strlen(r->mmap.path);
    for (int i = 0; i < r->mmap.build_id_bytes; i++)
      sum += r->mmap.build_id[i];
  } else if (r->type == PERF_RECORD_COMM) {
    sum += strlen(r->comm.name);
  }
  return sum;
}

/* On a heap block of just its size: the address sanitizer sees one byte too many. */
static int decode_copy(const struct prof_record_layout *layout, const void *bytes, size_t size) {
  struct prof_record r;
  struct perf_event_header *copy = malloc(size);
  int result;
  memcpy(copy, bytes, size);
  copy->size = (uint16_t)size;
  result = prof_record_decode(layout, copy, &r);
  if (!result)
    touch(&r);
  free(copy);
  return result;
}

static void cut_records_are_refused(void **state) {
  (void)state;
  for (size_t at = 0; at < sizeof DUMPS / 8;) {
    const struct perf_event_header *header = (const struct perf_event_header *)(DUMPS + at);
    for (size_t size = 8; size < header->size; size++) {
      int result = decode_copy(&DUMPS_LAYOUT, header, size);
      /* A trailer is taken from the end, wherever that is: only samples are surely refused. */
      if (header->type == PERF_RECORD_SAMPLE)
        assert_int_equal(result, -1);
    }
    assert_int_equal(decode_copy(&DUMPS_LAYOUT, header, header->size), 0);
    at += header->size / 8;
  }
}

static void random_bytes_harm_nothing(void **state) {
  uint64_t seed = 88172645463325252ull;
  int taken = 0;
  (void)state;
#define NEXT() (seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17)
  for (int i = 0; i < 300000; i++) {
    struct prof_record_layout layout = i % 3 ? DUMPS_LAYOUT : CHAINS_LAYOUT;
    struct builder b = {.count = 1};
    size_t size = 8 + NEXT() % 200;
    uint32_t type = i % 2 ? PERF_RECORD_SAMPLE : (uint32_t)(NEXT() % 24);
    if (i % 4 == 0) {
      layout.sample_type = NEXT();
      layout.read_format = NEXT();
      layout.regs_user = NEXT();
      layout.branch_sample_type = NEXT();
      layout.sample_id_all = NEXT() & 1;
    }
    while (b.count < 30) { /* small numbers are what counts and sizes are made of */
      uint64_t word = NEXT();
      add(&b, word % 5 ? word % 12 : word);
    }
    end(&b, type, (uint16_t)NEXT());
    taken += !decode_copy(&layout, b.words, size);
  }
  assert_in_range(taken, 10000, 290000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(recorded_chains_are_read),
      cmocka_unit_test(recorded_dumps_are_read),
      cmocka_unit_test(every_field_in_front_is_passed_over),
      cmocka_unit_test(samples_without_user_registers_say_so),
      cmocka_unit_test(other_records_carry_their_trailer),
      cmocka_unit_test(a_time_that_does_not_fit_is_refused),
      cmocka_unit_test(broken_counts_are_refused),
      cmocka_unit_test(cut_records_are_refused),
      cmocka_unit_test(random_bytes_harm_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
