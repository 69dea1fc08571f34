#include "perf/record.h"

#include <stddef.h>
#include <string.h>

#include "base/cursor.h"

_Static_assert(sizeof(struct perf_event_header) == 8, "linux/perf_event.h: the header");
_Static_assert(sizeof(uint64_t) == sizeof(__u64), "chains are read in place");

/* Types from here up are perf.data's own: no trailer, nothing that we read. */
enum { TYPES_OF_THE_KERNEL = 64 };

/* count elements of element_bytes each, without overflow. */
static const unsigned char *take_array(struct prof_cursor *c, uint64_t count,
                                       uint64_t element_bytes) {
  if (count > 0xffff) /* a record is at most 64 KB */
    c->bad = true;
  return prof_cursor_take(c, count * element_bytes);
}

/* A NUL-terminated string that fills what is left. */
static const char *take_text(struct prof_cursor *c) {
  const char *text = (const char *)c->at;
  if (c->bad || !memchr(c->at, 0, (size_t)(c->end - c->at))) {
    c->bad = true;
    return "";
  }
  c->at = c->end;
  return text;
}

/* perf_regs.h's order to DWARF's; -1: not kept. */
static const int8_t DWARF_OF_PERF[] = PROF_ARCH_PERF_REGS;
enum { PERF_REGS = sizeof DWARF_OF_PERF };

static void take_user_regs(struct prof_cursor *c, uint64_t mask, struct prof_record_sample *s) {
  uint64_t abi = prof_cursor_u64(c);
  if (abi == PERF_SAMPLE_REGS_ABI_NONE) /* a kernel thread, or none were there: no registers */
    return;
  for (int bit = 0; bit < 64; bit++) {
    uint64_t value;
    if (!(mask >> bit & 1))
      continue;
    value = prof_cursor_u64(c);
    if (abi == PERF_SAMPLE_REGS_ABI_64 && bit < PERF_REGS && DWARF_OF_PERF[bit] >= 0) {
      s->user_regs.r[DWARF_OF_PERF[bit]] = value;
      s->user_regs.valid |= PROF_REG(DWARF_OF_PERF[bit]);
    }
  }
  s->has_user_regs = !c->bad && prof_regs_has(&s->user_regs, PROF_REG_PC) &&
                     prof_regs_has(&s->user_regs, PROF_REG_SP);
  s->user_ip = s->user_regs.r[PROF_REG_PC];
  s->user_sp = s->user_regs.r[PROF_REG_SP];
  s->user_bp = s->user_regs.r[PROF_REG_FP];
}

/* Splits a callchain at its context markers (values from PERF_CONTEXT_MAX up are no addresses). */
static void take_chain(struct prof_cursor *c, struct prof_record_sample *s) {
  uint64_t count = prof_cursor_u64(c);
  const unsigned char *bytes = take_array(c, count, sizeof(uint64_t));
  const uint64_t *chain = (const uint64_t *)bytes; /* records are aligned to 8 */
  uint64_t context = 0;
  if (c->bad)
    return;
  for (uint64_t i = 0; i < count; i++) {
    if (chain[i] >= (uint64_t)PERF_CONTEXT_MAX) {
      context = chain[i];
    } else if (context == (uint64_t)PERF_CONTEXT_KERNEL) {
      if (!s->chain_count++)
        s->kernel_chain = chain + i;
    } else if (context == (uint64_t)PERF_CONTEXT_USER) {
      if (!s->user_chain_count++)
        s->user_chain = chain + i;
    }
  }
  /* A context that comes twice would leave a marker inside: the first run alone is the chain. */
  for (uint32_t i = 0; i < s->chain_count; i++)
    if (s->kernel_chain[i] >= (uint64_t)PERF_CONTEXT_MAX)
      s->chain_count = i;
  for (uint32_t i = 0; i < s->user_chain_count; i++)
    if (s->user_chain[i] >= (uint64_t)PERF_CONTEXT_MAX)
      s->user_chain_count = i;
}

static void skip_read(struct prof_cursor *c, uint64_t format) {
  uint64_t words = 0;
  uint64_t each = 1 + !!(format & PERF_FORMAT_ID) + !!(format & PERF_FORMAT_LOST);
  words += !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED);
  words += !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
  if (!(format & PERF_FORMAT_GROUP)) {
    prof_cursor_take(c, 8 * (words + each));
    return;
  }
  uint64_t count = prof_cursor_u64(c);
  prof_cursor_take(c, 8 * words);
  take_array(c, count, 8 * each);
}

static void skip_branches(struct prof_cursor *c, uint64_t branch_sample_type) {
  uint64_t count = prof_cursor_u64(c);
  if (branch_sample_type & PERF_SAMPLE_BRANCH_HW_INDEX)
    prof_cursor_u64(c);
  take_array(c, count, sizeof(struct perf_branch_entry));
  if (branch_sample_type & (1u << 19)) /* PERF_SAMPLE_BRANCH_COUNTERS, since 6.8 */
    take_array(c, count, sizeof(uint64_t));
}

static void decode_sample(const struct prof_record_layout *layout, struct prof_cursor *c,
                          struct prof_record *out) {
  const uint64_t type = layout->sample_type;
  struct prof_record_sample *s = &out->sample;
  uint16_t mode = out->misc & PERF_RECORD_MISC_CPUMODE_MASK;
  s->in_kernel = mode != PERF_RECORD_MISC_USER && mode != PERF_RECORD_MISC_GUEST_USER;
  if (type & PERF_SAMPLE_IDENTIFIER)
    out->id = prof_cursor_u64(c);
  if (type & PERF_SAMPLE_IP)
    s->ip = prof_cursor_u64(c);
  if (type & PERF_SAMPLE_TID) {
    out->pid = prof_cursor_u32(c);
    out->tid = out->writer_tid = prof_cursor_u32(c);
  }
  if (type & PERF_SAMPLE_TIME)
    out->time_ns = prof_cursor_u64(c);
  if (type & PERF_SAMPLE_ADDR)
    prof_cursor_u64(c);
  if (type & PERF_SAMPLE_ID)
    out->id = prof_cursor_u64(c);
  if (type & PERF_SAMPLE_STREAM_ID)
    prof_cursor_u64(c);
  if (type & PERF_SAMPLE_CPU)
    out->cpu = (uint32_t)prof_cursor_u64(c); /* cpu, reserved */
  if (type & PERF_SAMPLE_PERIOD)
    s->period = prof_cursor_u64(c);
  if (type & PERF_SAMPLE_READ)
    skip_read(c, layout->read_format);
  if (type & PERF_SAMPLE_CALLCHAIN)
    take_chain(c, s);
  if (type & PERF_SAMPLE_RAW)
    prof_cursor_take(c, prof_cursor_u32(c));
  if (type & PERF_SAMPLE_BRANCH_STACK)
    skip_branches(c, layout->branch_sample_type);
  if (type & PERF_SAMPLE_REGS_USER)
    take_user_regs(c, layout->regs_user, s);
  if (type & PERF_SAMPLE_STACK_USER) {
    uint64_t size = prof_cursor_u64(c);
    const unsigned char *stack = prof_cursor_take(c, size);
    if (stack && size) { /* dyn_size follows only where there are bytes */
      uint64_t valid = prof_cursor_u64(c);
      s->stack = stack;
      s->stack_bytes = (uint32_t)(valid < size ? valid : size);
    }
  }
}

/* The fields that sample_id_all puts at the end of every other record, and where they begin. */
static bool decode_trailer(const struct prof_record_layout *layout, struct prof_cursor *c,
                           struct prof_record *out) {
  const uint64_t type = layout->sample_type;
  const uint64_t fields = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
                          PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER;
  size_t bytes = 8 * (size_t)__builtin_popcountll(type & fields);
  struct prof_cursor t;
  if (!layout->sample_id_all)
    return true;
  if (bytes > (size_t)(c->end - c->at))
    return false;
  t = (struct prof_cursor){c->end - bytes, c->end, false};
  c->end = t.at;
  if (type & PERF_SAMPLE_TID) {
    out->pid = prof_cursor_u32(&t);
    out->tid = out->writer_tid = prof_cursor_u32(&t);
  }
  if (type & PERF_SAMPLE_TIME)
    out->time_ns = prof_cursor_u64(&t);
  if (type & PERF_SAMPLE_ID)
    out->id = prof_cursor_u64(&t);
  if (type & PERF_SAMPLE_STREAM_ID)
    prof_cursor_u64(&t);
  if (type & PERF_SAMPLE_CPU)
    out->cpu = (uint32_t)prof_cursor_u64(&t);
  if (type & PERF_SAMPLE_IDENTIFIER)
    out->id = prof_cursor_u64(&t);
  return true;
}

static void decode_mmap(struct prof_cursor *c, struct prof_record *out) {
  out->pid = prof_cursor_u32(c);
  out->tid = prof_cursor_u32(c);
  out->mmap.start = prof_cursor_u64(c);
  out->mmap.length = prof_cursor_u64(c);
  out->mmap.offset = prof_cursor_u64(c);
  out->mmap.executable = !(out->misc & PERF_RECORD_MISC_MMAP_DATA);
  if (out->type == PERF_RECORD_MMAP2) {
    const unsigned char *file = prof_cursor_take(c, 24); /* maj min ino generation, or a build id */
    uint32_t protection = prof_cursor_u32(c);
    prof_cursor_u32(c);                    /* flags */
    out->mmap.executable = protection & 4; /* PROT_EXEC */
    if (file && out->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
      out->mmap.build_id_bytes = file[0] <= 20 ? file[0] : 20;
      out->mmap.build_id = file + 4;
    }
  }
  out->mmap.path = take_text(c);
}

static void decode_task(struct prof_cursor *c, struct prof_record *out) {
  out->pid = prof_cursor_u32(c);
  out->task.ppid = prof_cursor_u32(c);
  out->tid = prof_cursor_u32(c);
  out->task.ptid = prof_cursor_u32(c);
  out->time_ns = prof_cursor_u64(c); /* on the event's clock as the trailer's */
}

void prof_record_layout_of(const struct perf_event_attr *attr, struct prof_record_layout *out) {
  *out = (struct prof_record_layout){
      .sample_type = attr->sample_type,
      .read_format = attr->read_format,
      .regs_user = attr->sample_regs_user,
      .branch_sample_type = attr->branch_sample_type,
      .sample_id_all = attr->sample_id_all,
  };
}

int prof_record_time(const struct prof_record_layout *layout,
                     const struct perf_event_header *header, uint64_t *time_ns) {
  const uint64_t before = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID;
  const uint64_t behind = PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
                          PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER;
  bool is_there = layout->sample_type & PERF_SAMPLE_TIME;
  size_t at = sizeof *header;
  *time_ns = 0;
  switch (header->type) {
  case PERF_RECORD_SAMPLE:
    at += 8 * (size_t)__builtin_popcountll(layout->sample_type & before);
    break;
  case PERF_RECORD_FORK:
  case PERF_RECORD_EXIT:
    is_there = true;
    at += 4 * sizeof(uint32_t); /* pid, ppid, tid, ptid */
    break;
  case PERF_RECORD_THROTTLE:
  case PERF_RECORD_UNTHROTTLE:
    is_there = true;
    break;
  default: /* in the trailer */
    is_there = is_there && layout->sample_id_all && header->type < TYPES_OF_THE_KERNEL;
    at = header->size - 8 * (size_t)__builtin_popcountll(layout->sample_type & behind);
    break;
  }
  if (header->size < sizeof *header)
    return -1;
  if (!is_there)
    return 0;
  if (at < sizeof *header || at > header->size || header->size - at < sizeof *time_ns)
    return -1;
  memcpy(time_ns, (const unsigned char *)header + at, sizeof *time_ns);
  return 0;
}

int prof_record_decode(const struct prof_record_layout *layout,
                       const struct perf_event_header *header, struct prof_record *out) {
  struct prof_cursor c;
  memset(out, 0, sizeof *out);
  if (header->size < sizeof *header)
    return -1;
  out->type = header->type;
  out->misc = header->misc;
  c = (struct prof_cursor){(const unsigned char *)(header + 1),
                           (const unsigned char *)header + header->size, false};
  if (header->type == PERF_RECORD_SAMPLE) {
    decode_sample(layout, &c, out);
    return c.bad ? -1 : 0;
  }
  if (header->type >= TYPES_OF_THE_KERNEL)
    return 0;
  if (!decode_trailer(layout, &c, out))
    return -1;
  switch (header->type) {
  case PERF_RECORD_MMAP:
  case PERF_RECORD_MMAP2:
    decode_mmap(&c, out);
    break;
  case PERF_RECORD_COMM:
    out->pid = prof_cursor_u32(&c);
    out->tid = prof_cursor_u32(&c);
    out->comm.name = take_text(&c);
    out->comm.exec = out->misc & PERF_RECORD_MISC_COMM_EXEC;
    break;
  case PERF_RECORD_FORK:
  case PERF_RECORD_EXIT:
    decode_task(&c, out);
    break;
  case PERF_RECORD_LOST:
    out->id = prof_cursor_u64(&c);
    out->lost.count = prof_cursor_u64(&c);
    break;
  case PERF_RECORD_LOST_SAMPLES:
    out->lost.count = prof_cursor_u64(&c);
    break;
  case PERF_RECORD_THROTTLE:
  case PERF_RECORD_UNTHROTTLE:
    out->time_ns = prof_cursor_u64(&c);
    out->id = prof_cursor_u64(&c);
    break;
  case PERF_RECORD_SWITCH:
  case PERF_RECORD_SWITCH_CPU_WIDE:
    out->context_switch.out = out->misc & PERF_RECORD_MISC_SWITCH_OUT;
    out->context_switch.preempted = out->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
    break;
  default:
    break;
  }
  return c.bad ? -1 : 0;
}
