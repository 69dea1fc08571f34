/* A perf.data file, perf's or a stranger's: read in its own order and in the order of time. */
#include "fuzz.h"

#include "perf/datafile.h"

struct seen {
  uint64_t count;
};

static void visit(void *user, const struct prof_data_event *event,
                  const struct prof_record *record) {
  struct seen *seen = user;
  seen->count++;
  fuzz_use(event != NULL);
  if (record->type == PERF_RECORD_SAMPLE && record->sample.stack_bytes)
    fuzz_use(record->sample.stack[record->sample.stack_bytes - 1]);
  if (record->type == PERF_RECORD_MMAP || record->type == PERF_RECORD_MMAP2)
    fuzz_use_text(record->mmap.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[32];
  int fd = fuzz_file(data, size, path);
  struct prof_datafile *file = NULL;
  struct prof_error error = {0};
  if (prof_datafile_open(path, &file, &error) == 0) {
    struct seen scanned = {0}, replayed = {0};
    int status = prof_datafile_scan(file, visit, &scanned, &error);
    int again = prof_datafile_replay(file, visit, &replayed, &error);
    if (!status && !again && scanned.count != replayed.count)
      abort(); /* ordering may neither lose nor invent a record */
    prof_datafile_close(file);
  }
  close(fd);
  return 0;
}
