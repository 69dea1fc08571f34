#include "base/stash.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/table.h"

#define SUFFIX ".stash"
static const char MAGIC[8] = "rsprof1";
enum { BYTES_MAX = 64 << 20 };

struct header {
  char magic[8];
  uint64_t key, sum;
  uint64_t sizes[PROF_STASH_PARTS];
};

static uint64_t sum_of(uint64_t sum, const void *bytes, size_t size) {
  uint64_t word;
  for (size_t at = 0; at < size; at += sizeof word) {
    size_t here = size - at < sizeof word ? size - at : sizeof word;
    word = 0;
    memcpy(&word, (const char *)bytes + at, here);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
    sum ^= sum >> 32;
  }
  return sum;
}

uint64_t prof_stash_key(uint64_t key, const struct stat *file) {
  const uint64_t facts[] = {file->st_dev,         file->st_ino,          file->st_size,
                            file->st_mtim.tv_sec, file->st_mtim.tv_nsec, file->st_ctim.tv_sec,
                            file->st_ctim.tv_nsec};
  return sum_of(key, facts, sizeof facts) | 1;
}

/* Of this build of ours: of the file that this function is in. */
static uint64_t own_build(void) {
  Dl_info info;
  struct stat file;
  if (!dladdr((const void *)(uintptr_t)own_build, &info) || !info.dli_fname ||
      stat(info.dli_fname, &file))
    return 0;
  return prof_stash_key(0, &file);
}

void prof_stash_name(char out[PROF_STASH_NAME], const char *word, uint64_t about) {
  snprintf(out, PROF_STASH_NAME, "%.64s-%016" PRIx64 SUFFIX, word,
           prof_hash_u64(about ^ prof_hash_u64(own_build())));
}

void prof_stash_free(struct prof_stash_part *parts, int count) {
  for (int i = 0; i < count; i++) {
    free(parts[i].bytes);
    parts[i] = (struct prof_stash_part){0};
  }
}

/* Whether the file is of our making, and as long as it says. */
static bool is_sound(int fd, const struct header *header, uint64_t key, int count) {
  struct stat stat;
  uint64_t bytes = sizeof *header;
  for (int i = 0; i < PROF_STASH_PARTS; i++) {
    if (header->sizes[i] > BYTES_MAX || (i >= count && header->sizes[i]))
      return false;
    bytes += header->sizes[i];
  }
  return memcmp(header->magic, MAGIC, sizeof MAGIC) == 0 && header->key == key &&
         fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_uid == geteuid() &&
         !(stat.st_mode & (S_IWGRP | S_IWOTH)) && bytes <= BYTES_MAX &&
         (uint64_t)stat.st_size == bytes;
}

int prof_stash_read(const char *folder, const char *name, uint64_t key,
                    struct prof_stash_part *parts, int count) {
  char path[PATH_MAX];
  struct header header = {0};
  uint64_t at = sizeof header, sum = key;
  int fd = -1, status = -1;
  memset(parts, 0, (size_t)count * sizeof *parts);
  if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path)
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return -1;
  if (prof_file_read_at(fd, &header, sizeof header, 0) != sizeof header ||
      !is_sound(fd, &header, key, count))
    goto out;
  for (int i = 0; i < count; i++) {
    parts[i].size = header.sizes[i];
    parts[i].bytes = malloc(parts[i].size ? parts[i].size : 1);
    if (!parts[i].bytes ||
        prof_file_read_at(fd, parts[i].bytes, parts[i].size, at) != parts[i].size)
      goto out;
    sum = sum_of(sum, parts[i].bytes, parts[i].size);
    at += parts[i].size;
  }
  status = sum == header.sum ? 0 : -1;
out:
  if (status)
    prof_stash_free(parts, count);
  close(fd);
  return status;
}

/* Makes a folder and those above it, in folders of our own alone: what root makes in somebody's
 * home is in that user's way. */
static int make_folder(const char *path) {
  char above[PATH_MAX];
  struct stat stat_;
  if (stat(path, &stat_) == 0)
    return S_ISDIR(stat_.st_mode) && stat_.st_uid == geteuid() ? 0 : -1;
  const char *slash = strrchr(path, '/');
  if (errno != ENOENT || !slash || slash == path ||
      snprintf(above, sizeof above, "%.*s", (int)(slash - path), path) >= (int)sizeof above ||
      make_folder(above))
    return -1;
  return mkdir(path, S_IRWXU) && errno != EEXIST ? -1 : 0;
}

static bool is_stash(const char *name) {
  size_t length = strlen(name);
  return length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* One file at a time: each write adds at most one. */
static void remove_oldest(const char *folder) {
  DIR *open_folder = opendir(folder);
  struct dirent *entry;
  struct stat stat, oldest = {0};
  char name[NAME_MAX + 1] = "";
  int count = 0;
  while (open_folder && (entry = readdir(open_folder))) {
    if (!is_stash(entry->d_name) ||
        fstatat(dirfd(open_folder), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW))
      continue;
    if (count++ == 0 || stat.st_mtim.tv_sec < oldest.st_mtim.tv_sec ||
        (stat.st_mtim.tv_sec == oldest.st_mtim.tv_sec &&
         stat.st_mtim.tv_nsec < oldest.st_mtim.tv_nsec)) {
      oldest = stat;
      snprintf(name, sizeof name, "%s", entry->d_name);
    }
  }
  if (count > PROF_STASH_FILES)
    unlinkat(dirfd(open_folder), name, 0);
  if (open_folder)
    closedir(open_folder);
}

static bool write_all(int fd, const void *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t put = write(fd, (const char *)bytes + done, size - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    done += (size_t)put;
  }
  return true;
}

int prof_stash_write(const char *folder, const char *name, uint64_t key,
                     const struct prof_stash_part *parts, int count) {
  /* One name for what is not whole yet: what a process that was killed has left is written over.
   * Two at once may spoil each other's; the checksum tells. */
  char path[PATH_MAX], beside[PATH_MAX];
  struct header header = {.key = key, .sum = key};
  size_t bytes = sizeof header;
  int fd;
  memcpy(header.magic, MAGIC, sizeof MAGIC);
  for (int i = 0; i < count; i++) {
    header.sizes[i] = parts[i].size;
    header.sum = sum_of(header.sum, parts[i].bytes, parts[i].size);
    bytes += parts[i].size;
  }
  if (bytes > BYTES_MAX || make_folder(folder) ||
      snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
      snprintf(beside, sizeof beside, "%s/%s.new", folder, name) >= (int)sizeof beside)
    return -1;
  fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
            S_IRUSR | S_IWUSR);
  if (fd < 0)
    return -1;
  bool is_written = write_all(fd, &header, sizeof header);
  for (int i = 0; i < count; i++)
    is_written = is_written && write_all(fd, parts[i].bytes, parts[i].size);
  if (close(fd) || !is_written || rename(beside, path)) {
    unlink(beside);
    return -1;
  }
  remove_oldest(folder);
  return 0;
}
