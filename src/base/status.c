#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *prof_status_code(int status) {
  switch (status) {
#define PROF_STATUS_CASE(name, value, code)                                                        \
  case (value):                                                                                    \
    return code;
    PROF_STATUS_MAP(PROF_STATUS_CASE)
#undef PROF_STATUS_CASE
  default:
    return "ERR_PROF_SYSTEM";
  }
}

int prof_error_set(struct prof_error *error, int status, int sys_errno, const char *syscall,
                   const char *format, ...) {
  int saved = errno;
  if (error) {
    va_list args;
    error->status = status;
    error->sys_errno = sys_errno;
    error->syscall = syscall;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
  }
  errno = saved;
  return status;
}
