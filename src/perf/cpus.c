#include "perf/cpus.h"

#include <stdbool.h>

int prof_cpus_choose(const struct prof_os *os, const char *text, int *cpus, int capacity,
                     struct prof_error *error) {
  int online[PROF_CPUS_MAX];
  if (!text || !*text)
    return prof_os_cpus(os, cpus, capacity);
  int online_count = prof_os_cpus(os, online, PROF_CPUS_MAX);
  int count = prof_os_parse_cpus(text, cpus, capacity), kept = 0;
  if (count <= 0)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "'%.40s' is no list of CPUs: write it as '0-3,8'", text);
  for (int i = 0; i < count; i++) {
    bool is_online = false, is_again = false;
    for (int j = 0; j < online_count; j++)
      is_online |= online[j] == cpus[i];
    for (int j = 0; j < kept; j++)
      is_again |= cpus[j] == cpus[i];
    if (!is_online)
      return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                            "CPU %d is offline, or not there: /sys/devices/system/cpu/online has "
                            "those that are",
                            cpus[i]);
    if (!is_again)
      cpus[kept++] = cpus[i];
  }
  return kept;
}
