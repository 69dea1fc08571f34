#include "session/rawfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "code/maps.h"
#include "perf/attr.h"
#include "perf/datasave.h"
#include "perf/os.h"
#include "session/made.h"

/* Not "rspack-prof ...": that is the export's mark for whole callchains (session/replay.c). */
#define VERSION "raw records, by rspack-prof"

static void save_threads(struct prof_recording *recording) {
  for (size_t i = 0; i < recording->threads.count; i++) {
    const struct prof_thread_row *row = &recording->threads.rows[i];
    prof_made_thread(recording->raw, (uint32_t)getpid(), row->tid, row->name);
  }
}

/* hex -> at most 20 bytes; how many. */
static uint8_t parse_id(const char *hex, uint8_t *out) {
  uint8_t count = 0;
  for (unsigned byte; count < 20 && sscanf(hex + 2 * count, "%2x", &byte) == 1; count++)
    out[count] = (uint8_t)byte;
  return count;
}

static void save_mapping(void *user, const struct prof_mapping *mapping) {
  struct prof_recording *recording = user;
  uint8_t id[20] = {0}, id_bytes = 0;
  int32_t module = prof_modules_find(recording->modules, mapping->start);
  if (!mapping->path[0] || (mapping->path[0] != '/' && !mapping->is_executable))
    return;
  /* What has no build id goes by a hash of ours, which is nobody else's: 16 hex digits. */
  const char *hex = module < 0 ? "" : prof_modules_at(recording->modules, (size_t)module)->build_id;
  if (strlen(hex) >= 32 && mapping->path[0] == '/')
    id_bytes = parse_id(hex, id);
  prof_made_mapping(recording->raw, (uint32_t)getpid(), mapping, id, id_bytes);
}

static void note(struct prof_recording *recording, const struct prof_error *error) {
  snprintf(recording->raw_failure, sizeof recording->raw_failure, "%s", error->message);
}

void prof_rawfile_begin(struct prof_recording *recording) {
  struct perf_event_attr attr;
  struct prof_error error;
  if (!recording->options.raw_path)
    return;
  if (!recording->attach) {
    prof_error_set(&error, PROF_PERMISSION, 0, NULL, "without perf events there are none");
    note(recording, &error);
    return;
  }
  prof_attr_fill(prof_attach_plan(recording->attach), 0, &attr);
  if (prof_datasave_open(recording->options.raw_path, &attr, &recording->raw, &error)) {
    note(recording, &error);
    return;
  }
  if (recording->options.plan.kernel)
    prof_made_kernel(recording->raw);
  save_threads(recording);
  prof_maps_read("/proc/self/maps", save_mapping, recording, &error.sys_errno);
  prof_datasave_round(recording->raw);
}

void prof_rawfile_record(struct prof_recording *recording, const struct perf_event_header *header,
                         const struct prof_record *record) {
  /* A sample that its thread wrote twice counts once here too: no reader could tell. */
  if (recording->raw && !prof_attach_drops(recording->attach, record))
    prof_datasave_record(recording->raw, header);
}

void prof_rawfile_round(struct prof_recording *recording) {
  if (recording->raw)
    prof_datasave_round(recording->raw);
}

static void save_names(struct prof_recording *recording) {
  char path[PATH_MAX];
  const char *raw = recording->options.raw_path, *slash = strrchr(raw, '/');
  int folder = slash ? (int)(slash - raw) + 1 : 0;
  struct prof_error error;
  snprintf(path, sizeof path, "%.*sperf-%d.map", folder, raw, (int)getpid());
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  bool ok = file != NULL;
  for (size_t i = 0; ok && i < prof_space_count(recording->space); i++) {
    const struct prof_code *code = prof_space_code(recording->space, (uint32_t)i);
    if (code && code->name && code->size && code->kind != PROF_CODE_BYTECODE &&
        code->kind != PROF_CODE_KERNEL)
      ok = fprintf(file, "%" PRIx64 " %" PRIx64 " %s\n", code->start, code->size, code->name) > 0;
  }
  ok = file && fclose(file) == 0 && ok;
  if (!ok) {
    prof_error_set(&error, PROF_SYSTEM, 0, NULL, "cannot write %s", path);
    note(recording, &error);
  }
}

void prof_rawfile_end(struct prof_recording *recording) {
  const struct prof_samples *samples = &recording->samples;
  struct utsname name = {0};
  char command[256] = "";
  struct prof_error error;
  if (!recording->raw)
    return;
  uname(&name);
  int length =
      prof_os_real.read_file(prof_os_real.user, "/proc/self/cmdline", command, sizeof command);
  for (int i = 0; i + 1 < length; i++)
    command[i] = command[i] ? command[i] : ' ';
  const struct prof_datasave_facts facts = {
      .event_name = recording->options.plan.event.name,
      .version = VERSION,
      .os_release = name.release,
      .arch = name.machine,
      .command = command,
      .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
      .first_ns = samples->count ? samples->rows[0].time_ns : 0,
      .last_ns = samples->count ? samples->rows[samples->count - 1].time_ns : 0,
      .wall_ns = prof_clock_ns(CLOCK_REALTIME),
      .wall_at_ns = prof_now_ns(),
  };
  if (prof_datasave_close(recording->raw, &facts, &error))
    note(recording, &error);
  else
    save_names(recording);
  recording->raw = NULL;
}
