/*
 * dataform: the numbers and structs of a perf.data file, for who reads one and who writes one
 * (perf's tools/perf/Documentation/perf.data-file-format.txt, tools/perf/util/header.h and
 * tools/lib/perf/include/perf/event.h, perf 6.1). Rows of data: refuses nothing.
 */
#ifndef RSPACK_PROF_PERF_DATAFORM_H
#define RSPACK_PROF_PERF_DATAFORM_H

#include <stdint.h>

#define PROF_DATA_MAGIC 0x32454c4946524550ull /* "PERFILE2" */

enum {
  PROF_DATA_HEAD_BYTES = 104,
  PROF_DATA_PIPE_HEAD_BYTES = 16, /* magic and its own size */
  PROF_DATA_FEATURE_BITS = 256,
};

struct prof_data_section {
  uint64_t offset, size;
};

struct prof_data_file_head { /* perf_file_header */
  uint64_t magic, size, attr_size;
  struct prof_data_section attrs, data, event_types;
  uint64_t features[PROF_DATA_FEATURE_BITS / 64];
};
_Static_assert(sizeof(struct prof_data_file_head) == PROF_DATA_HEAD_BYTES, "the document's layout");

/* HEADER_*: the sections behind the records. */
enum prof_data_feature {
  PROF_DATA_BUILD_ID = 2,
  PROF_DATA_OSRELEASE = 4,
  PROF_DATA_VERSION = 5,
  PROF_DATA_ARCH = 6,
  PROF_DATA_NRCPUS = 7,
  PROF_DATA_CMDLINE = 11,
  PROF_DATA_EVENT_DESC = 12,
  PROF_DATA_SAMPLE_TIME = 21,
  PROF_DATA_CLOCK_DATA = 29,
};

/* perf's own records, which the kernel never writes: types from the first on. */
enum prof_data_own {
  PROF_DATA_OWN_ATTR = 64,
  PROF_DATA_OWN_TRACING_DATA = 66, /* followed by data that its size does not count */
  PROF_DATA_OWN_BUILD_ID = 67,
  PROF_DATA_OWN_FINISHED_ROUND = 68,
  PROF_DATA_OWN_AUXTRACE = 71, /* followed by data that its size does not count */
  PROF_DATA_OWN_FEATURE = 80,
  PROF_DATA_OWN_COMPRESSED = 81,
  PROF_DATA_OWN_COMPRESSED2 = 83,
};

#endif
