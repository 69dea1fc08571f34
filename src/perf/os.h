/*
 * os: everything that perf/ asks of the system, so that tests own it and replay machines that they
 * do not run on (no PMU, paranoid 4, seccomp, old kernels, small limits).
 *
 * prof_os_real is this machine. Calls that can fail return a negative errno, never set errno.
 */
#ifndef RSPACK_PROF_PERF_OS_H
#define RSPACK_PROF_PERF_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#define PROF_SYS_PARANOID "/proc/sys/kernel/perf_event_paranoid"
#define PROF_SYS_KPTR "/proc/sys/kernel/kptr_restrict"
#define PROF_SYS_RATE "/proc/sys/kernel/perf_event_max_sample_rate"

struct perf_event_attr;

enum { PROF_CPUS_MAX = 1024 }; /* room for the CPUs of a machine */

struct prof_os {
  void *user; /* first argument of each call */
  /* A descriptor (close-on-exec), or -errno. */
  int (*perf_event_open)(void *user, const struct perf_event_attr *attr, int tid, int cpu);
  /* The same in the group of another descriptor; -1: alone. */
  int (*open_in_group)(void *user, const struct perf_event_attr *attr, int tid, int cpu,
                       int leader_fd);
  /* An event's value and what read_format adds: words read, or -errno. */
  int (*read_words)(void *user, int fd, uint64_t *words, int count);
  /* ENABLE, DISABLE, SET_OUTPUT (argument: descriptor) and ID (*id is set): 0 or -errno. */
  int (*ioctl)(void *user, int fd, unsigned long request, long argument);
  int (*event_id)(void *user, int fd, uint64_t *id);
  int (*map)(void *user, int fd, size_t bytes, void **map);
  void (*unmap)(void *user, void *map, size_t bytes);
  void (*close)(void *user, int fd);
  /* A whole small file as NUL-terminated text: bytes read, or -errno. */
  int (*read_file)(void *user, const char *path, char *text, size_t size);
  /* Numeric names in a folder (/proc/self/task, /proc/self/fd): how many there are, of which at
   * most capacity are stored, or -errno. */
  int (*list_numbers)(void *user, const char *folder, int *numbers, int capacity);
  /* Names in a folder, but "." and "..", until visit returns false: how many, or -errno. */
  int (*list_names)(void *user, const char *folder, bool (*visit)(void *, const char *name),
                    void *argument);
  int (*get_limit)(void *user, int resource, struct rlimit *limit);
  int (*set_limit)(void *user, int resource, const struct rlimit *limit);
  /* A timer of a thread's CPU time that signals that thread, stopped: its id, or -errno. data is
   * the signal's value. */
  int (*timer_open)(void *user, int tid, int signal, uint64_t data);
  /* Every period_ns of that CPU time from now on: 0 or -errno. */
  int (*timer_start)(void *user, int id, uint64_t period_ns);
  bool (*timer_runs)(void *user, int id); /* false: not started, or its thread is over */
  void (*timer_close)(void *user, int id);
};

extern const struct prof_os prof_os_real;

/* A number in a file, or fallback where it is missing or no number. */
long prof_os_number(const struct prof_os *os, const char *path, long fallback);

/* Whether the release of the running kernel is at least major.minor; 1 where it cannot be read. */
int prof_os_kernel_at_least(const struct prof_os *os, int major, int minor);

/* list_numbers into an array that grows: how many, or -errno (-ENOMEM). */
int prof_os_list(const struct prof_os *os, const char *folder, int **numbers, size_t *capacity);

/* Opens a disabled event on this thread and one CPU and closes it again: 0, or the -errno that a
 * recording would get. */
int prof_os_try(const struct prof_os *os, const struct perf_event_attr *attr);

/* "0-3,8" -> cpus[]: how many (at most capacity), or -1 for text that is no such list. */
int prof_os_parse_cpus(const char *text, int *cpus, int capacity);

/* The CPUs online. Never less than one: CPU 0 where /sys cannot be read. */
int prof_os_cpus(const struct prof_os *os, int *cpus, int capacity);

#endif
