#include "perf/uprobe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "/sys/bus/event_source/devices/uprobe"

/* "config:0" -> 0; the bit has been 0 since the PMU came with kernel 4.17. */
static unsigned return_bit(const struct prof_os *os) {
  char text[64];
  unsigned bit;
  if (os->read_file(os->user, FOLDER "/format/retprobe", text, sizeof text) > 0 &&
      sscanf(text, "config:%u", &bit) == 1 && bit < 64)
    return bit;
  return 0;
}

int prof_uprobe_fill(const struct prof_os *os, const struct prof_uprobe *probe,
                     struct perf_event_attr *attr, struct prof_error *error) {
  long type = prof_os_number(os, FOLDER "/type", -1);
  if (type < 0)
    return prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, 0, NULL,
                          "this kernel has no uprobes (no %s): it needs CONFIG_UPROBE_EVENTS, and "
                          "containers must show /sys",
                          FOLDER);
  attr->type = (uint32_t)type;
  attr->config = probe->is_return ? 1ull << return_bit(os) : 0;
  attr->config1 = (uint64_t)(uintptr_t)probe->path; /* uprobe_path */
  attr->config2 = probe->offset;                    /* probe_offset */
  return PROF_OK;
}

int prof_uprobe_refused(const struct prof_uprobe *probe, int result, struct prof_error *error) {
  static const char call[] = "perf_event_open";
  switch (-result) {
  case EACCES:
  case EPERM:
    return prof_error_set(error, PROF_PERMISSION, -result, call,
                          "function tracing places probes in files, which the kernel allows to "
                          "root alone: run the same command with sudo (sudo -E keeps PATH and "
                          "the environment), or trace a binding that was built with XRay");
  case EMFILE:
  case ENFILE:
    return prof_error_set(error, PROF_TOO_MANY_FILES, -result, call,
                          "too many open files: raise the limit (ulimit -n)");
  case ENOENT:
    return prof_error_set(error, PROF_BAD_FILE, -result, call, "%s is not there", probe->path);
  case EINVAL:
    return prof_error_set(error, PROF_BAD_OPTION, -result, call,
                          "no probe can be placed at %s+0x%llx", probe->path,
                          (unsigned long long)probe->offset);
  default:
    return prof_error_set(error, PROF_SYSTEM, -result, call, "no probe at %s+0x%llx: %s",
                          probe->path, (unsigned long long)probe->offset, strerror(-result));
  }
}
