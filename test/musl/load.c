/*
 * load ADDON: a process linked with musl that loads the addon as node does (process.dlopen: lazily
 * bound, with node's names in the program itself, which the test's stubs.c stands for). Says
 * "refused: " and why, or "loaded": a glibc addon's constructors have run in a musl process then.
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  void *handle = dlopen(argv[1], RTLD_LAZY);
  printf("%s%s\n", handle ? "loaded" : "refused: ", handle ? "" : dlerror());
  return 0;
}
