/*
 * stress SECONDS HZ THREADS RECORDINGS [JOB...]: threads that do what programs do to signal
 * handlers and unwinders, while the core samples them from a thread of its own, in so many
 * recordings. STRESS_ALLOCATIONS=BYTES in the environment: and their allocations, one in so many
 * bytes.
 *
 * Ends with one line of JSON: rounds of each job, unexpected errors, samples and what became of
 * them, and the process's memory, descriptors and threads after the first and the last recording.
 * Exit code 0: no error; 1: errors; 77: perf events are refused here (the reason is printed).
 */
#include "stress.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "session/recording.h"
#include "stack/sampler.h"

enum { JOBS_MAX = 64, DRAIN_US = 20000, SKIPPED = 77 };

atomic_bool stress_is_over;
static atomic_ulong errors;

int stress_note(const char *what, int number) {
  atomic_fetch_add(&errors, 1);
  fprintf(stderr, "unexpected: %s: %s\n", what, strerror(number));
  return number ? number : 1;
}

void stress_spin(unsigned us) {
  for (volatile unsigned i = 0; i < us * 400; i++)
    ;
}

static struct worker {
  pthread_t thread;
  const struct stress_job *job;
  unsigned long rounds;
} workers[256];

static void *work(void *argument) {
  struct worker *worker = argument;
  /* 64 busy threads would leave the recorder a thirty-second part of a CPU. */
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
  while (!stress_is_over) {
    if (worker->job->round() == 0)
      worker->rounds++;
  }
  return NULL;
}

static int list_jobs(const struct stress_job **jobs) {
  int count = 0;
  for (const struct stress_job *job = stress_calls; job->name; job++)
    jobs[count++] = job;
  for (const struct stress_job *job = stress_stacks; job->name; job++)
    jobs[count++] = job;
  for (const struct stress_job *job = stress_threads; job->name; job++)
    jobs[count++] = job;
  return count;
}

/* Those that are named; without names, those that get on with each other. */
static int pick_jobs(const struct stress_job **jobs, int count, char **names, int name_count) {
  const struct stress_job *picked[JOBS_MAX];
  int picked_count = 0;
  for (int i = 0; i < count; i++) {
    bool is_wanted = !name_count && !jobs[i]->by_name;
    for (int k = 0; k < name_count; k++)
      is_wanted |= strcmp(jobs[i]->name, names[k]) == 0;
    if (is_wanted)
      picked[picked_count++] = jobs[i];
  }
  memcpy(jobs, picked, sizeof *picked * (size_t)picked_count);
  return picked_count;
}

/* ---- the recordings */

struct standing {
  long resident_kb, descriptors, threads;
};

struct account {
  double seconds;
  uint32_t frequency;
  int recordings, done;
  uint64_t samples, broken, truncated, complete, unmatched, signals, dropped, lost, weight;
  uint64_t mean_bytes, allocations, whole_allocations; /* 0: not sampled */
  uint64_t reasons[32];                                /* of the broken */
  struct standing first, last;
  struct prof_error error;
};

/* But for the library that a worker may be about to load (job "unloaded"). */
static long count_entries(const char *path) {
  DIR *folder = opendir(path);
  struct dirent *entry;
  long count = 0;
  while (folder && (entry = readdir(folder))) {
    char target[PATH_MAX] = "";
    if (readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1) < 0 ||
        !strstr(target, "/plug.so"))
      count++;
  }
  if (folder)
    closedir(folder);
  return count;
}

static struct standing standing(void) {
  long pages = 0, ignored;
  FILE *file = fopen("/proc/self/statm", "re");
  if (file && fscanf(file, "%ld %ld", &ignored, &pages) != 2)
    pages = 0;
  if (file)
    fclose(file);
  return (struct standing){.resident_kb = pages * 4,
                           .descriptors = count_entries("/proc/self/fd"),
                           .threads = count_entries("/proc/self/task")};
}

static double now_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void add_up(struct account *account, const struct prof_recording *recording) {
  struct prof_recording_counters counters;
  prof_recording_counters(recording, &counters);
  account->unmatched += counters.unmatched;
  account->signals += counters.signals;
  account->dropped += counters.handler_dropped;
  account->lost += counters.lost;
  for (size_t i = 0; i < recording->samples.count; i++) {
    const struct prof_sample *sample = &recording->samples.rows[i];
    account->samples++;
    account->weight += sample->weight;
    if (sample->end == PROF_END_BROKEN) {
      account->broken++;
      account->reasons[sample->reason % 32]++;
    }
    account->complete += sample->end == PROF_END_COMPLETE;
    account->truncated += sample->end == PROF_END_TRUNCATED;
  }
  account->allocations += recording->allocations.count;
  for (size_t i = 0; i < recording->allocations.count; i++)
    account->whole_allocations += recording->allocations.rows[i].end == PROF_END_COMPLETE;
}

static int record_once(struct account *account) {
  struct prof_recording *recording = calloc(1, sizeof *recording);
  struct prof_recording_options options = {
      .max_words = 8192,
      .skip_tid = (int)syscall(SYS_gettid),
      .allocations = {.mean_bytes = account->mean_bytes, .cap_percent = 100}};
  int status = prof_choose_plan(&prof_os_real, NULL, account->frequency, PROF_CALL_GRAPH_FULL,
                                &options.plan, &account->error);
  if (!status)
    status = prof_recording_start(recording, &options, &account->error);
  if (!status) {
    double end = now_s() + account->seconds / account->recordings;
    do {
      usleep(account->recordings > 10 ? DRAIN_US / 10 : DRAIN_US);
      prof_recording_drain(recording);
    } while (now_s() < end);
    prof_recording_finish(recording);
    add_up(account, recording);
    prof_recording_free(recording);
    if (recording->is_held)
      return status; /* a worker without a CPU stands in a walk: what it reads stays */
  }
  free(recording);
  return status;
}

static void *record(void *argument) {
  struct account *account = argument;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  while (account->done < account->recordings && !account->error.status) {
    if (record_once(account))
      break;
    account->done++;
    if (account->done == (account->recordings + 9) / 10)
      account->first = standing();
  }
  account->last = standing();
  return NULL;
}

static void print(const struct account *account, int count) {
  printf("{\"errors\":%lu,\"recordings\":%d,\"samples\":%lu,\"complete\":%lu,\"truncated\":%lu,"
         "\"broken\":%lu,"
         "\"unmatched\":%lu,\"signals\":%lu,\"dropped\":%lu,\"lost\":%lu,\"traps\":%lu,"
         "\"trapsWanted\":%lu",
         atomic_load(&errors), account->done, account->samples, account->complete,
         account->truncated, account->broken, account->unmatched, account->signals,
         account->dropped, account->lost, atomic_load(&stress_traps),
         atomic_load(&stress_traps_wanted));
  printf(",\"allocations\":%lu,\"wholeAllocations\":%lu", account->allocations,
         account->whole_allocations);
  printf(",\"reasons\":{");
  for (int i = 0, any = 0; i < 32; i++) {
    if (!account->reasons[i])
      continue;
    printf("%s\"%s\":%lu", any++ ? "," : "",
           i < PROF_REASON_JOIN ? prof_walk_end_name((enum prof_walk_end)i)
                                : prof_join_fate_name((enum prof_join_fate)(i - PROF_REASON_JOIN)),
           account->reasons[i]);
  }
  printf("},\"residentKb\":[%ld,%ld],\"descriptors\":[%ld,%ld],\"threads\":[%ld,%ld],\"rounds\":{",
         account->first.resident_kb, account->last.resident_kb, account->first.descriptors,
         account->last.descriptors, account->first.threads, account->last.threads);
  const struct stress_job *jobs[JOBS_MAX];
  int job_count = list_jobs(jobs), printed = 0;
  for (int i = 0; i < job_count; i++) {
    unsigned long rounds = 0, ran = 0;
    for (int k = 0; k < count; k++) {
      ran += workers[k].job == jobs[i];
      rounds += workers[k].job == jobs[i] ? workers[k].rounds : 0;
    }
    if (ran)
      printf("%s\"%s\":%lu", printed++ ? "," : "", jobs[i]->name, rounds);
  }
  printf("}}\n");
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: stress SECONDS HZ THREADS RECORDINGS [JOB...]\n");
    return 2;
  }
  const char *bytes = getenv("STRESS_ALLOCATIONS");
  struct account account = {.seconds = atof(argv[1]),
                            .frequency = (uint32_t)atoi(argv[2]),
                            .recordings = atoi(argv[4]),
                            .mean_bytes = bytes ? strtoull(bytes, NULL, 10) : 0};
  const struct stress_job *jobs[JOBS_MAX];
  int job_count = list_jobs(jobs), count = atoi(argv[3]), made = 0;
  if (count > 256)
    count = 256;
  job_count = pick_jobs(jobs, job_count, argv + 5, argc - 5);
  if (job_count == 0)
    return 2;
  stress_take_traps();
  /* posix_spawn blocks signals while its child lives: a SIGCHLD meanwhile is not ignored, but wakes
   * any other thread, with or without a profiler. */
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, NULL);
  for (; made < count; made++) {
    workers[made].job = jobs[made % job_count];
    if (pthread_create(&workers[made].thread, NULL, work, &workers[made]))
      break;
  }
  pthread_t recorder;
  if (pthread_create(&recorder, NULL, record, &account) == 0)
    pthread_join(recorder, NULL);
  /* The last events' signals may still be on their way: the handler stays for them. */
  usleep(50000);
  stress_is_over = true;
  for (int i = 0; i < made; i++)
    pthread_join(workers[i].thread, NULL);
  if (account.error.status) {
    fprintf(stderr, "%s\n", account.error.message);
    return account.error.status == PROF_PERMISSION ? SKIPPED : 1;
  }
  print(&account, made);
  return atomic_load(&errors) ? 1 : 0;
}
