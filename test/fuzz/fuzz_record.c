/* Records of a ring as the kernel would never write them, under any layout. Input: sample_type,
 * read_format, regs_user, branch_sample_type (8 bytes each), sample_id_all (1), then records. */
#include "fuzz.h"

#include "perf/record.h"

enum { HEAD = 33 };

static void use_chain(const uint64_t *chain, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    fuzz_use(chain[i]);
}

static void use(const struct prof_record *record) {
  const struct prof_record_sample *sample = &record->sample;
  switch (record->type) {
  case PERF_RECORD_SAMPLE:
    use_chain(sample->kernel_chain, sample->chain_count);
    use_chain(sample->user_chain, sample->user_chain_count);
    for (uint32_t i = 0; i < sample->stack_bytes; i++)
      fuzz_use(sample->stack[i]);
    break;
  case PERF_RECORD_MMAP:
  case PERF_RECORD_MMAP2:
    fuzz_use_text(record->mmap.path);
    for (int i = 0; record->mmap.build_id && i < record->mmap.build_id_bytes; i++)
      fuzz_use(record->mmap.build_id[i]);
    break;
  case PERF_RECORD_COMM:
    fuzz_use_text(record->comm.name);
    break;
  default:
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct prof_record_layout layout;
  if (size < HEAD)
    return 0;
  memcpy(&layout.sample_type, data, 8);
  memcpy(&layout.read_format, data + 8, 8);
  memcpy(&layout.regs_user, data + 16, 8);
  memcpy(&layout.branch_sample_type, data + 24, 8);
  layout.sample_id_all = data[32] & 1;
  data += HEAD, size -= HEAD;
  struct perf_event_header header;
  while (size >= sizeof header) {
    memcpy(&header, data, sizeof header);
    /* What the ring's reader promises: the whole record is there, and is no shorter than its head.
     */
    if (header.size < sizeof header || header.size > size)
      break;
    void *whole = fuzz_copy(data, header.size);
    struct prof_record record;
    uint64_t time_ns;
    memset(&record, 0, sizeof record);
    int timed = prof_record_time(&layout, whole, &time_ns);
    if (prof_record_decode(&layout, whole, &record) == 0) {
      use(&record);
      if (timed == 0 && time_ns != record.time_ns)
        abort(); /* whoever orders records and whoever reads them must agree */
    }
    free(whole);
    data += header.size, size -= header.size;
  }
  return 0;
}
