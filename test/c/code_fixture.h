/* What the tests of src/code's ELF side share: a scratch folder, and small programs built there. */
#ifndef RSPACK_PROF_TEST_CODE_FIXTURE_H
#define RSPACK_PROF_TEST_CODE_FIXTURE_H

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUG_BINDING                                                                              \
  "../../node_modules/@rspack-debug/binding-linux-x64-gnu/rspack.linux-x64-gnu.node"

static char fixture_folder[] = "/tmp/rspack-prof-test-XXXXXX";

static inline int fixture_setup(void **state) {
  (void)state;
  return mkdtemp(fixture_folder) ? 0 : -1;
}

__attribute__((format(printf, 1, 2))) static inline int fixture_run(const char *format, ...) {
  char command[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(command, sizeof command, format, arguments);
  va_end(arguments);
  return system(command);
}

static inline int fixture_teardown(void **state) {
  (void)state;
  return fixture_run("rm -rf '%s'", fixture_folder);
}

/* Path of a file in the folder; valid for the next eight calls. */
static inline const char *fixture_path(const char *name) {
  static char paths[8][256];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", fixture_folder, name);
  return path;
}

static inline const char *fixture_write(const char *name, const char *text) {
  const char *path = fixture_path(name);
  FILE *file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file))
    abort();
  return path;
}

static inline bool fixture_has(const char *tool) {
  return fixture_run("command -v %s >/dev/null 2>&1", tool) == 0;
}

/* The same numbers on every run. */
static inline uint32_t fixture_random(uint64_t *state) {
  *state = *state * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(*state >> 33);
}

#endif
