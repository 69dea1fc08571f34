/* A journal that somebody left in a folder of ours. Input: 1 byte; where it is odd, the rest is the
 * file as it is. Else 256 bytes that go into the head, whose sizes are right, then pieces (2 bytes
 * of length, sections) whose checksums are right: what is behind them must not be believed all the
 * same.
 */
#include "fuzz.h"

#include "base/chunks.h"
#include "session/journal_rows.h"
#include "session/recover.h"

enum { HEAD_BYTES = 256, FILE_BYTES_MAX = 1 << 20 };

static char path[64];
static uint8_t file[FILE_BYTES_MAX], piece[FILE_BYTES_MAX];
static size_t file_bytes;

static void remove_file(void) {
  unlink(path);
}

static int open_file(void) {
  static int fd = -1;
  if (fd < 0) {
    snprintf(path, sizeof path, "/tmp/fuzz_journal_XXXXXX"); /* no link: recover follows none */
    fd = mkstemp(path);
    atexit(remove_file);
  }
  if (fd < 0 || ftruncate(fd, 0))
    abort();
  return fd;
}

static void put_piece(uint32_t number, size_t bytes) {
  struct prof_chunk_head head = prof_chunk_head(number, piece, bytes);
  if (file_bytes + sizeof head + bytes > sizeof file)
    return;
  memcpy(file + file_bytes, &head, sizeof head);
  memcpy(file + file_bytes + sizeof head, piece, bytes);
  file_bytes += sizeof head + bytes;
}

static size_t start_piece(const uint8_t *data) {
  struct prof_journal_head head;
  uint32_t section[2] = {PROF_JOURNAL_HEAD, 1};
  size_t most = sizeof head < HEAD_BYTES ? sizeof head : HEAD_BYTES;
  memset(&head, 0, sizeof head);
  memcpy(&head, data, most);
  memcpy(&head.plan.extra_count, data + HEAD_BYTES - sizeof head.plan.extra_count,
         sizeof head.plan.extra_count); /* it lies beyond */
  head.version = PROF_JOURNAL_VERSION;
  head.head_bytes = sizeof head;
  head.sample_bytes = sizeof(struct prof_sample);
  head.thread_bytes = sizeof(struct prof_thread_row);
  head.state_bytes = sizeof(struct prof_journal_state);
  memcpy(piece, section, sizeof section);
  memcpy(piece + sizeof section, &head, sizeof head);
  return sizeof section + sizeof head;
}

static void make_file(const uint8_t *data, size_t size) {
  uint32_t number = 0;
  file_bytes = 0;
  if (size < 1 + HEAD_BYTES || data[0] & 1) {
    file_bytes = size > sizeof file ? sizeof file : size;
    memcpy(file, data + !!size, file_bytes -= !!size);
    return;
  }
  size_t used = start_piece(data + 1);
  for (data += 1 + HEAD_BYTES, size -= 1 + HEAD_BYTES; size >= 2;) {
    size_t bytes = data[0] | (size_t)data[1] << 8;
    data += 2, size -= 2;
    bytes = bytes < size ? bytes : size;
    memcpy(piece + used, data, bytes);
    put_piece(number++, used + bytes);
    used = 0;
    data += bytes, size -= bytes;
  }
}

static void use(const struct prof_result *result) {
  for (size_t i = 0; i < result->sample_count; i++) {
    if (result->samples[i].node >= result->node_count ||
        result->samples[i].thread >= result->thread_count ||
        result->samples[i].event > result->plan.extra_count)
      abort(); /* of no stack, of no thread, or of no event */
    fuzz_use(result->samples[i].weight);
  }
  for (size_t i = 0; i < result->func_count; i++)
    fuzz_use_text(prof_strings_at(&result->strings, result->funcs[i].symbol));
  for (size_t i = 0; i < result->thread_count; i++)
    fuzz_use_text(prof_strings_at(&result->strings, result->threads[i].name));
  for (int i = 0; i <= result->plan.extra_count; i++)
    fuzz_use_text(prof_plan_event(&result->plan, i)->name);
  for (int i = 0; i < result->plan.note_count; i++)
    fuzz_use_text(result->plan.notes[i].message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct prof_recovered recovered;
  struct prof_error error = {0};
  make_file(data, size);
  int fd = open_file();
  if (pwrite(fd, file, file_bytes, 0) != (ssize_t)file_bytes)
    abort();
  if (prof_recover_file(path, &recovered, &error) == 0) {
    use(recovered.result);
    fuzz_use_text(recovered.about);
    fuzz_use_text(recovered.notes);
    prof_recovered_free(&recovered);
  } else if (recovered.result || recovered.about || recovered.notes) {
    abort();
  }
  return 0;
}
