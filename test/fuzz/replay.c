/* Feeds each file of the folders named to the target, without libFuzzer: `replay CORPUS..`. */
#include "fuzz.h"

#include <dirent.h>

static int feed(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return -1;
  size_t capacity = 1 << 20, size;
  uint8_t *bytes = malloc(capacity);
  size = bytes ? fread(bytes, 1, capacity, file) : 0;
  fclose(file);
  if (bytes)
    LLVMFuzzerTestOneInput(bytes, size);
  free(bytes);
  return bytes ? 0 : -1;
}

int main(int count, char **arguments) {
  int fed = 0;
  for (int i = 1; i < count; i++) {
    DIR *folder = opendir(arguments[i]);
    if (!folder) {
      perror(arguments[i]);
      return 1;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", arguments[i], entry->d_name);
      if (entry->d_name[0] != '.' && feed(path) == 0)
        fed++;
    }
    closedir(folder);
  }
  printf("%s: %d inputs\n", arguments[0], fed);
  return fed ? 0 : 1;
}
