#include "perf/files.h"

#include <errno.h>

void prof_files_init(struct prof_files *self, const struct prof_os *os) {
  *self = (struct prof_files){.in_use = os->list_numbers(os->user, "/proc/self/fd", NULL, 0)};
  if (self->in_use < 0)
    self->in_use = 64; /* no /proc: about what node has open at its start */
}

int prof_files_reserve(struct prof_files *self, const struct prof_os *os, long opened, int threads,
                       int cpus, int each, struct prof_error *error) {
  long more = (long)threads * cpus * each;
  struct rlimit limit;
  if (os->get_limit(os->user, RLIMIT_NOFILE, &limit))
    return 0;
  rlim_t quarter = limit.rlim_max / 4;
  rlim_t reserve = quarter < PROF_FILES_RESERVE ? quarter : PROF_FILES_RESERVE;
  rlim_t needed = (rlim_t)(self->in_use + opened + more) + reserve;
  if (limit.rlim_cur >= needed)
    return 0;
  if (limit.rlim_max >= needed) {
    struct rlimit raised = limit;
    raised.rlim_cur = needed * 2 < limit.rlim_max ? needed * 2 : limit.rlim_max;
    if (!os->set_limit(os->user, RLIMIT_NOFILE, &raised)) {
      if (!self->raised)
        self->old = limit;
      self->raised = true;
      return 0;
    }
  }
  return prof_error_set(
      error, PROF_TOO_MANY_FILES, EMFILE, "perf_event_open",
      "%d threads x %d CPUs x %d event%s need %ld descriptors more; %ld are open, %lu are left "
      "to the build, the limit is %lu: run `sudo prlimit --nofile=%lu --pid $$` "
      "in this shell and start again",
      threads, cpus, each, each == 1 ? "" : "s", more, self->in_use + opened,
      (unsigned long)reserve, (unsigned long)limit.rlim_max, (unsigned long)(needed * 2));
}

void prof_files_restore(struct prof_files *self, const struct prof_os *os) {
  if (self->raised)
    os->set_limit(os->user, RLIMIT_NOFILE, &self->old);
  self->raised = false;
}
