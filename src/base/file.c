#include "base/file.h"

#include <errno.h>
#include <unistd.h>

size_t prof_file_read_at(int fd, void *out, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    ssize_t got = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    done += (size_t)got;
  }
  return done;
}
