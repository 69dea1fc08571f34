/*
 * status: every way a call of ours can fail, once, as an X-macro: enum, JavaScript code and name.
 *
 * A function that can fail returns 0 (PROF_OK) or a negative enum prof_status and, where it takes a
 * struct prof_error, fills it with one line that says what to do. What goes wrong with one sample
 * is a counter, never a status.
 */
#ifndef RSPACK_PROF_BASE_STATUS_H
#define RSPACK_PROF_BASE_STATUS_H

/* X(name, value, JavaScript error code) */
#define PROF_STATUS_MAP(X)                                                                         \
  X(OK, 0, "")                                                                                     \
  X(PERMISSION, -1, "ERR_PROF_PERMISSION")                                                         \
  X(UNSUPPORTED_PLATFORM, -2, "ERR_PROF_UNSUPPORTED_PLATFORM")                                     \
  X(NO_PMU, -3, "ERR_PROF_NO_PMU")                                                                 \
  X(BAD_EVENT, -4, "ERR_PROF_BAD_EVENT")                                                           \
  X(BAD_OPTION, -5, "ERR_PROF_BAD_OPTION")                                                         \
  X(BUSY, -6, "ERR_PROF_BUSY")                                                                     \
  X(NOT_RUNNING, -7, "ERR_PROF_NOT_RUNNING")                                                       \
  X(TOO_MANY_FILES, -8, "ERR_PROF_TOO_MANY_FILES")                                                 \
  X(MEMORY_LOCK, -9, "ERR_PROF_MEMORY_LOCK")                                                       \
  X(BAD_FILE, -10, "ERR_PROF_BAD_FILE")                                                            \
  X(INCONCLUSIVE, -11, "ERR_PROF_INCONCLUSIVE")                                                    \
  X(NO_MEMORY, -12, "ERR_PROF_NO_MEMORY")                                                          \
  X(SYSTEM, -13, "ERR_PROF_SYSTEM")

enum prof_status {
#define PROF_STATUS_ENUM(name, value, code) PROF_##name = (value),
  PROF_STATUS_MAP(PROF_STATUS_ENUM)
#undef PROF_STATUS_ENUM
};

struct prof_error {
  int status;          /* enum prof_status */
  int sys_errno;       /* errno of the failed call, 0 where there was none */
  const char *syscall; /* static string, NULL where there was none */
  char message[512];   /* one line, no trailing newline */
};

/* The JavaScript code of a status ("ERR_PROF_..."); "ERR_PROF_SYSTEM" for one it does not know. */
const char *prof_status_code(int status);

/* Fills *error (may be NULL) and returns status, so that `return prof_error_set(...)` reads well.
 * Saves errno first: pass the errno of the failed call, or 0. */
__attribute__((format(printf, 5, 6))) int prof_error_set(struct prof_error *error, int status,
                                                         int sys_errno, const char *syscall,
                                                         const char *format, ...);

#endif
