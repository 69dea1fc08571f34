#include "runner/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a whole machine; what is beyond is met by the next look, when the first ones are gone. */
enum { PROCESSES_MAX = 65536 };

struct process {
  int pid, parent;
  bool is_zombie, is_below;
};

/* proc(5), /proc/PID/stat: "pid (comm) state ppid ..", and comm may hold blanks and brackets. */
static bool read_process(const char *name, struct process *process) {
  char path[64], text[512], state;
  snprintf(path, sizeof path, "/proc/%.20s/stat", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t bytes = read(fd, text, sizeof text - 1);
  close(fd);
  if (bytes <= 0)
    return false;
  text[bytes] = '\0';
  const char *end = strrchr(text, ')');
  *process = (struct process){.pid = atoi(name)};
  if (!end || sscanf(end + 1, " %c %d", &state, &process->parent) != 2)
    return false;
  process->is_zombie = state == 'Z' || state == 'X';
  return true;
}

static int list_processes(struct process *list) {
  DIR *folder = opendir("/proc");
  struct dirent *entry;
  int count = 0;
  if (!folder)
    return 0;
  while (count < PROCESSES_MAX && (entry = readdir(folder)))
    if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &list[count]))
      count++;
  closedir(folder);
  return count;
}

static bool is_below(const struct process *list, int count, const struct process *process,
                     int root) {
  if (process->parent == root)
    return true;
  for (int i = 0; i < count; i++)
    if (list[i].pid == process->parent)
      return list[i].is_below;
  return false;
}

int prof_tree_signal(int root, int signal) {
  struct process *list = malloc(PROCESSES_MAX * sizeof *list);
  int count = list ? list_processes(list) : 0, running = 0;
  /* Ids wrap around, so a child may stand before its parent: until nothing new is found. */
  for (bool found = true; found;) {
    found = false;
    for (int i = 0; i < count; i++)
      if (!list[i].is_below && is_below(list, count, &list[i], root))
        list[i].is_below = found = true;
  }
  for (int i = 0; i < count; i++)
    if (list[i].is_below && !list[i].is_zombie && kill(list[i].pid, signal) == 0)
      running++;
  free(list);
  return running;
}
