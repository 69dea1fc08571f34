#include "session/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "perf/os.h"

/* All folders of the path; false, and errno. */
static bool make_folders(const char *path) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof part) {
    errno = ENAMETOOLONG;
    return false;
  }
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != 0)
      continue;
    memcpy(part, path, i);
    part[i] = 0;
    if (mkdir(part, 0700) && errno != EEXIST)
      return false;
  }
  return true;
}

/* A link there would choose where it goes. */
static bool is_real_folder(const char *path) {
  struct stat stat;
  if (lstat(path, &stat))
    return false;
  errno = S_ISDIR(stat.st_mode) ? 0 : ELOOP;
  return S_ISDIR(stat.st_mode);
}

static void keep_out_of_git(const char *folder) {
  char path[PATH_MAX];
  if ((size_t)snprintf(path, sizeof path, "%s/.gitignore", folder) >= sizeof path)
    return;
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  (void)!write(fd, "*\n", 2);
  close(fd);
}

int prof_journal_file_create(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0)
    flock(fd, LOCK_EX | LOCK_NB); /* a file system without locks: it is taken for a leftover */
  return fd;
}

/* lib/output.js names the profile's folder the same way. */
int prof_journal_file_open(const char *folder, uint64_t start_unix_ms, char path[PATH_MAX]) {
  char name[64];
  struct tm date;
  time_t seconds = (time_t)(start_unix_ms / 1000);
  bool is_new = access(folder, F_OK) != 0;
  path[0] = 0;
  gmtime_r(&seconds, &date);
  strftime(name, sizeof name, "%Y-%m-%dT%H-%M-%SZ", &date);
  if (!make_folders(folder) || !is_real_folder(folder))
    return -1;
  if (is_new)
    keep_out_of_git(folder);
  for (int copy = 1; copy < 100; copy++) {
    char own[PATH_MAX - 16], again[16] = "";
    if (copy > 1)
      snprintf(again, sizeof again, "-%d", copy);
    if ((size_t)snprintf(own, sizeof own, "%s/%s-%d%s", folder, name, (int)getpid(), again) >=
        sizeof own) {
      errno = ENAMETOOLONG;
      return -1;
    }
    if (mkdir(own, 0700) == 0) {
      snprintf(path, PATH_MAX, "%s/journal", own);
      return prof_journal_file_create(path);
    }
    if (errno != EEXIST)
      return -1;
  }
  return -1;
}

void prof_journal_boot_id(char text[PROF_BOOT_ID_BYTES]) {
  const struct prof_os *os = &prof_os_real;
  if (os->read_file(os->user, "/proc/sys/kernel/random/boot_id", text, PROF_BOOT_ID_BYTES) < 0)
    text[0] = 0;
  text[strcspn(text, "\n")] = 0;
}

void prof_journal_file_remove(const char *path) {
  char folder[PATH_MAX];
  unlink(path);
  snprintf(folder, sizeof folder, "%s", path);
  *strrchr(folder, '/') = 0;
  rmdir(folder); /* not empty: not ours alone */
}
