/*
 * jobs: a program that hands jobs from one thread to others as rayon and tokio do, by functions of
 * their names (Rust's v0 mangling) and arguments, each job known: `jobs`.
 *
 *   job_owner      hands 3 jobs over, which a second thread runs; each calls job_work
 *   the first job  hands one over itself, which a third thread runs when job_owner is long over
 *   a task         is handed over once by job_owner, and polled 4 times
 *   main           hands one over outside of all traced calls
 *   nobody         one that was never handed over is run too
 */
#include <pthread.h>
#include <stdio.h>

#define APART __attribute__((noinline, noclone))
#define KEPT __asm__ volatile("" ::: "memory")

/* <crossbeam_deque::deque::Worker<rayon_core::job::JobRef>>::push(&self, JobRef { pointer, .. }) */
APART void push(void *queue, void *job, void *run) __asm__(
    "_RNvMs4_NtCskDkhb0MmdC0_15crossbeam_deque5dequeINtB5_6WorkerNtNtCsbr01w2nBIGr_10rayon_core3job"
    "6JobRefE4push");
/* <rayon_core::job::StackJob<(), (), ()> as rayon_core::job::Job>::execute(this) */
APART void execute(void *job) __asm__(
    "_RNvXs_NtCsbr01w2nBIGr_10rayon_core3jobINtB4_8StackJobuuuENtB4_3Job7execute");
/* <tokio::runtime::task::list::OwnedTasks<()>>::bind_inner(&self, Task, Notified) */
APART void bind_inner(void *tasks, void *task, void *notified) __asm__(
    "_RNvMNtNtNtCs97BjZJQURyw_5tokio7runtime4task4listINtB2_10OwnedTasksuE10bind_inner");
/* tokio::runtime::task::raw::poll::<(), ()>(header) */
APART void poll(void *task) __asm__("_RINvNtNtNtCs97BjZJQURyw_5tokio7runtime4task3raw4polluuE");

static int queue, inner, lone, task, nobody, jobs[3];

void push(void *to, void *job, void *run) {
  (void)to, (void)job, (void)run;
  KEPT;
}

void bind_inner(void *tasks, void *job, void *notified) {
  (void)tasks, (void)job, (void)notified;
  KEPT;
}

APART void job_work(void *job) {
  if (job == &jobs[0])
    push(&queue, &inner, NULL);
  KEPT;
}

APART void job_late(void) {
  KEPT;
}

void execute(void *job) {
  if (job == &inner)
    job_late();
  else
    job_work(job);
  KEPT;
}

void poll(void *job) {
  (void)job;
  job_late();
  KEPT;
}

static void *second(void *unused) {
  for (int i = 0; i < 3; i++)
    execute(&jobs[i]);
  return unused;
}

static void *third(void *unused) {
  execute(&inner);
  for (int i = 0; i < 4; i++)
    poll(&task);
  execute(&lone);
  execute(&nobody);
  return unused;
}

static void on_a_thread(void *(*run)(void *)) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  pthread_join(thread, NULL);
}

APART void job_owner(void) {
  for (int i = 0; i < 3; i++)
    push(&queue, &jobs[i], NULL);
  bind_inner(&queue, &task, &task);
  on_a_thread(second);
}

int main(void) {
  job_owner();
  push(&queue, &lone, NULL);
  on_a_thread(third);
  printf("done\n");
  return 0;
}
