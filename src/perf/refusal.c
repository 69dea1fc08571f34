#include "perf/refusal.h"

#include <errno.h>
#include <string.h>

#include "perf/pmu.h"

enum prof_refusal prof_refusal_of(int result) {
  switch (-result) {
  case EACCES:
    return PROF_REFUSAL_PERMISSION;
  case EPERM: /* container runtimes' filters answer so; perf itself does for other people's threads
               */
  case ENOSYS:
    return PROF_REFUSAL_BLOCKED;
  case ENOENT:
  case EOPNOTSUPP:
  case ENXIO:
    return PROF_REFUSAL_MISSING;
  case EBUSY:
    return PROF_REFUSAL_BUSY;
  case EINVAL:
  case ENOSPC: /* a group with more events than counters (6.x), breakpoint slots */
    return PROF_REFUSAL_INVALID;
  case E2BIG:
  case EMSGSIZE:
    return PROF_REFUSAL_TOO_BIG;
  case EMFILE:
  case ENFILE:
    return PROF_REFUSAL_FILES;
  case ESRCH:
  case ENODEV:
    return PROF_REFUSAL_GONE;
  default:
    return result < 0 ? PROF_REFUSAL_OTHER : PROF_REFUSAL_NONE;
  }
}

const char *prof_refusal_reason(enum prof_refusal refusal, const struct prof_event *event) {
  switch (refusal) {
  case PROF_REFUSAL_NONE:
    return "";
  case PROF_REFUSAL_PERMISSION:
    return "refused: sudo sysctl kernel.perf_event_paranoid=1";
  case PROF_REFUSAL_BLOCKED:
    return "perf_event_open is blocked (seccomp)";
  case PROF_REFUSAL_MISSING:
  case PROF_REFUSAL_GONE:
    return event->is_hardware ? "no hardware PMU counts it here" : "not in this kernel";
  case PROF_REFUSAL_BUSY:
    return "the counters are taken by another program";
  case PROF_REFUSAL_FILES:
    return "no file descriptor is left";
  default:
    return "the kernel refuses it";
  }
}

int prof_refusal_error(const struct prof_os *os, const struct prof_event *event, const char *name,
                       int result, struct prof_error *error) {
  long paranoid = prof_os_number(os, PROF_SYS_PARANOID, -2);
  switch (prof_refusal_of(result)) {
  case PROF_REFUSAL_PERMISSION:
    if (paranoid == -2)
      return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                            "the kernel refuses '%s' to this user and does not tell its "
                            "perf_event_paranoid: grant CAP_PERFMON, or run as root",
                            name);
    return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                          "kernel.perf_event_paranoid is %ld, which refuses '%s' to this user: run "
                          "`sudo sysctl kernel.perf_event_paranoid=%d`",
                          paranoid, name, paranoid <= 1 ? -1 : 1);
  case PROF_REFUSAL_BLOCKED:
    return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                          "perf_event_open is blocked (seccomp, as containers have it by default): "
                          "start the container with `--cap-add PERFMON`, or with "
                          "`--security-opt seccomp=unconfined`");
  case PROF_REFUSAL_MISSING:
  case PROF_REFUSAL_GONE:
    return prof_error_set(
        error, PROF_NO_PMU, -result, "perf_event_open",
        "this machine cannot count '%s'%s: `rspack-prof list` shows what it can", name,
        event->is_hardware && !prof_pmu_exists(os) ? " (no hardware PMU: a virtual machine?)" : "");
  case PROF_REFUSAL_BUSY:
    return prof_error_set(error, PROF_NO_PMU, -result, "perf_event_open",
                          "the counters for '%s' are taken by another program: end it, or take a "
                          "software event",
                          name);
  case PROF_REFUSAL_FILES:
    return prof_error_set(error, PROF_TOO_MANY_FILES, -result, "perf_event_open",
                          "no file descriptor is left: raise the limit with `ulimit -n 65536`");
  default:
    return prof_error_set(error, result == -ENOMEM ? PROF_NO_MEMORY : PROF_SYSTEM, -result,
                          "perf_event_open", "the kernel refuses '%s': %s", name,
                          strerror(-result));
  }
}
