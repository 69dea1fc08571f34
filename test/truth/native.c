/* Steps through every instruction of the native fixtures, and says for each how many walks were
 * not the truth: `native PLUGIN.so [NAME]` prints one JSON object a line, exit 1 when one was
 * wrong. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "steps.h"
#include "stops.h"

enum { STACK = 2 << 20 };

long on_stack(long argument, long (*function)(long), void *top);
long on_stack_rbx(long argument, long (*function)(long), void *top);
long pushes(long argument, long (*function)(long));
long kept_below(long argument, long (*function)(long));

int fixture_O0(int rounds), fixture_O1(int rounds), fixture_O2(int rounds),
    fixture_O2fp(int rounds);
int fixture_O3(int rounds), fixture_Os(int rounds), fixture_clang(int rounds);
#ifdef WITH_RUST
uint64_t fixture_rust(int rounds);
static void rust(void) {
  fixture_rust(2);
}
#endif

static const char *plugin;
static char *stacks[3];

static void flavour_O0(void) {
  fixture_O0(3);
}
static void flavour_O1(void) {
  fixture_O1(3);
}
static void flavour_O2(void) {
  fixture_O2(3);
}
static void flavour_O2fp(void) {
  fixture_O2fp(3);
}
static void flavour_O3(void) {
  fixture_O3(3);
}
static void flavour_Os(void) {
  fixture_Os(3);
}
#ifdef WITH_CLANG
static void flavour_clang(void) {
  fixture_clang(3);
}
#endif

static long work(long depth) {
  return depth ? work(depth - 1) + 1 : fixture_O2(1);
}
static long second(long depth) {
  return on_stack_rbx(depth, work, stacks[1] + STACK);
}
static long first(long depth) {
  return on_stack(depth, second, stacks[0] + STACK - 64);
}
static long below(long depth) {
  return kept_below(depth, first);
}
static void switched(void) {
  first(3);
  on_stack(2, below, stacks[2] + STACK);
}
static void by_hand(void) {
  pushes(2, work);
  pushes(1, below);
}

static void to_self(int number) {
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}
static volatile int in_handler;
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)info;
  steps_command(STEPS_SIGNALLED, (uint64_t)(uintptr_t)context);
  in_handler++;
  if (number == SIGUSR1 && in_handler < 3)
    to_self(SIGUSR2);
  work(1);
}
static void signals_on(int flags) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | flags};
  action.sa_sigaction = on_signal;
  in_handler = 0;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  to_self(SIGUSR1);
  on_stack(SIGUSR1, (long (*)(long))(void *)to_self, stacks[0] + STACK);
}
static void signals(void) {
  signals_on(0);
}
static void signals_on_stack(void) {
  signals_on(SA_ONSTACK);
}

static int back(int n) {
  return (int)work(n);
}
static void loading(void) {
  for (int i = 0; i < 2; i++) {
    void *library = dlopen(plugin, RTLD_LAZY);
    int (*function)(int (*)(int), int) = NULL;
    if (library)
      *(void **)&function = dlsym(library, "plugin_work");
    if (!function)
      abort();
    function(back, 3);
    dlclose(library);
  }
}

static struct fixture {
  const char *name;
  void (*run)(void);
} fixtures[] = {
    {"-O0", flavour_O0},
    {"-O1", flavour_O1},
    {"-O2 -fomit-frame-pointer", flavour_O2},
    {"-O2 -fno-omit-frame-pointer", flavour_O2fp},
    {"-O3 -march=native", flavour_O3},
    {"-Os", flavour_Os},
#ifdef WITH_CLANG
    {"clang -O2", flavour_clang},
#endif
    {"stack switching", switched},
    {"assembly", by_hand},
    {"signal handlers", signals},
    {"signal handlers, own stack", signals_on_stack},
    {"dlopen and dlclose", loading},
#ifdef WITH_RUST
    {"rust", rust},
#endif
};

static void print_name(uint64_t word) {
  Dl_info info = {0};
  uint64_t address = PROF_WORD_VALUE(word);
  if (dladdr((void *)(uintptr_t)address, &info) && info.dli_sname)
    printf(" %s+%lx", info.dli_sname, (unsigned long)(address - (uint64_t)info.dli_saddr));
  else
    printf(" %s:%lx", info.dli_fname ? strrchr(info.dli_fname, '/') : "?",
           (unsigned long)address - (unsigned long)info.dli_fbase);
}

static void explain(const struct steps_result *result) {
  for (uint32_t i = 0; i < result->shown; i++) {
    const struct steps_wrong *wrong = &result->wrongs[i];
    fprintf(stdout, "# %lu x, %u of %u frames, differs at %u, %s, flags %x, at",
            (unsigned long)wrong->count, wrong->got_count, wrong->want_count, wrong->differs_at,
            prof_walk_end_name(wrong->end), wrong->flags);
    print_name(wrong->pc);
    printf("\n#   got ");
    for (int k = 0; k < 6; k++)
      print_name(wrong->got[k]);
    printf("\n#   want");
    for (int k = 0; k < 6; k++)
      print_name(wrong->want[k]);
    printf("\n");
  }
}

static int report(const char *name) {
  const struct steps_result *r = steps_result();
  printf("{\"fixture\":\"%s\",\"instructions\":%lu,\"wrong\":%lu,\"deepest\":%u,\"calls\":%lu,"
         "\"returns\":%lu,\"jumped\":%lu,\"leaving\":%lu,\"rewritten\":%lu,\"guessed\":%lu,"
         "\"recalled\":%lu,\"notRecalled\":%lu}\n",
         name, (unsigned long)r->steps, (unsigned long)r->wrong, r->deepest,
         (unsigned long)r->calls, (unsigned long)r->returns, (unsigned long)r->jumped,
         (unsigned long)r->leaving, (unsigned long)r->rewritten, (unsigned long)r->guessed,
         (unsigned long)r->recalled, (unsigned long)r->not_recalled);
  explain(r);
  return r->wrong != 0 || r->not_recalled != 0;
}

static void leaves(const char *name, uint64_t size) {
  uint64_t start = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
  if (start)
    steps_leaving(start, start + size);
}

/* Of the fixtures those that can be run over and over, with a timer's signal falling anywhere. */
static int stops(int wanted, struct prof_unwind *unwind) {
  plugin = "";
  for (int i = 0; i < 3; i++)
    stacks[i] = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!unwind->rows || stops_begin(wanted, unwind))
    return 2;
  while (!stops_end())
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures && !stops_end(); i++)
      if (!strchr(fixtures[i].name, ',') && fixtures[i].run != loading &&
          fixtures[i].run != signals)
        fixtures[i].run();
  return 0;
}

int main(int count, char **arguments) {
  struct prof_unwind unwind = {.rows = prof_rows_create(NULL), .scan = true};
  int status = 0;
  if (count > 2 && strcmp(arguments[1], "--stops") == 0)
    return stops(atoi(arguments[2]), &unwind);
  plugin = count > 1 ? arguments[1] : "";
  for (int i = 0; i < 3; i++)
    stacks[i] = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!unwind.rows || steps_install(&unwind))
    return 2;
  leaves("siglongjmp", 64);
  leaves("_Unwind_RaiseException", 1024);
  leaves("_Unwind_Resume", 512);
  for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
    if (count > 2 && strcmp(arguments[2], fixtures[i].name) != 0)
      continue;
    steps_command(STEPS_BEGIN, 0);
    fixtures[i].run();
    steps_command(STEPS_END, 0);
    status |= report(fixtures[i].name);
  }
  steps_uninstall();
  prof_rows_free(unwind.rows);
  return status;
}
