#include "trace/change.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/status.h"
#include "trace/exits.h"
#include "trace/flow.h"
#include "trace/plan.h"
#include "trace/probes.h"

static struct prof_probe probe_of(const struct prof_call_site *site, int fd, uint32_t index) {
  /* A job's address is the first argument (rdi) of what runs it, the second (rsi) of what takes it.
   */
  static const uint8_t jobs[] = {
      [PROF_FLOW_RAYON_PUSH] = 6,
      [PROF_FLOW_RAYON_RUN] = 7,
      [PROF_FLOW_TOKIO_SPAWN] = 6,
      [PROF_FLOW_TOKIO_RUN] = 7,
  };
  bool is_jump = site->kind == PROF_SITE_JUMP;
  return (struct prof_probe){.fd = fd,
                             .offset = site->offset,
                             .site = index,
                             .has_value = is_jump || site->role != PROF_FLOW_NONE,
                             .in_memory = is_jump && site->in_memory,
                             .base = is_jump ? site->base : jobs[site->role],
                             .displacement = site->displacement};
}

static bool is_entry(const struct prof_call_plan *plan, const struct prof_call_site *site) {
  return prof_site_is_entry(site->kind) && plan->funcs[site->func].role == PROF_FLOW_NONE;
}

/* Of the functions that are not dropped; *type 0 where none is left. */
static int define(struct prof_change *self, bool entries_only, uint32_t *type,
                  struct prof_error *error) {
  const struct prof_call_plan *plan = self->plan;
  struct prof_probe *probes = malloc((plan->site_count + 1) * sizeof *probes);
  size_t count = 0, refused = 0;
  int status = PROF_OK;
  *type = 0;
  if (!probes)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the probes");
  for (uint32_t i = 0; i < plan->site_count; i++) {
    const struct prof_call_func *func = &plan->funcs[plan->sites[i].func];
    if (!func->is_dropped && (!entries_only || is_entry(plan, &plan->sites[i])))
      probes[count++] = probe_of(&plan->sites[i], plan->objects[func->object].fd, i);
  }
  if (count)
    status = prof_probes_define(self->probes, probes, count, type, &refused, error);
  if (!entries_only)
    self->refused = refused;
  free(probes);
  return status;
}

static int open_set(struct prof_change *self, uint32_t type, bool is_first,
                    struct prof_watch_set *set, struct prof_error *error) {
  struct perf_event_attr attr;
  prof_probes_attr(type, &attr);
  return prof_watch_add(self->watch, &attr, is_first, set, error);
}

/* Of one thread alone, and silent. */
static void keeper_attr(uint32_t type, struct perf_event_attr *out) {
  prof_probes_attr(type, out);
  out->inherit = 0;
}

void prof_change_keep(struct prof_change *self, uint32_t pid) {
  struct perf_event_attr attr;
  pthread_mutex_lock(&self->lock);
  keeper_attr(self->type, &attr);
  if (self->type)
    prof_watch_hold(self->watch, &attr, pid, &self->keepers);
  pthread_mutex_unlock(&self->lock);
}

int prof_change_entries(struct prof_change *self, uint32_t *type, struct prof_error *error) {
  return define(self, true, type, error);
}

int prof_change_first(struct prof_change *self, struct prof_error *error) {
  pthread_mutex_init(&self->lock, NULL);
  int status = define(self, false, &self->type, error);
  if (status)
    return status;
  return open_set(self, self->type, true, &self->set, error);
}

static void *replace(void *user) {
  struct prof_change *self = user;
  struct prof_watch_set before = self->set, kept = {0}, set = {0};
  struct perf_event_attr attr;
  struct prof_error error;
  uint32_t old = self->type, type = 0;
  pthread_setname_np(pthread_self(), "rspack-prof");
  self->watch->skip_tids[1] = (int)syscall(SYS_gettid);
  int status = define(self, false, &type, &error);
  if (!status && type)
    status = open_set(self, type, false, &set, &error);
  if (status) {
    self->failed = true;
    if (type)
      prof_probes_remove(self->probes, type);
  } else {
    prof_watch_enable(self->watch, &set);
    pthread_mutex_lock(&self->lock);
    self->set = set;
    self->type = type;
    kept = self->keepers;
    self->keepers = (struct prof_watch_set){0};
    keeper_attr(type, &attr);
    if (type)
      prof_watch_hold_all(self->watch, &attr, &self->keepers);
    pthread_mutex_unlock(&self->lock);
    prof_watch_drop(self->watch, &kept);
    prof_watch_drop(self->watch, &before);
    prof_probes_remove(self->probes, old);
  }
  atomic_store(&self->done, true);
  return NULL;
}

void prof_change_start(struct prof_change *self) {
  if (self->failed || self->type == 0)
    return;
  atomic_store(&self->done, false);
  self->started = pthread_create(&self->thread, NULL, replace, self) == 0;
  self->failed = !self->started;
}

bool prof_change_is_running(struct prof_change *self) {
  if (self->started && atomic_load(&self->done))
    prof_change_finish(self);
  return self->started;
}

void prof_change_finish(struct prof_change *self) {
  if (self->started)
    pthread_join(self->thread, NULL);
  self->started = false;
}

void prof_change_close(struct prof_change *self) {
  if (!self->watch)
    return;
  prof_watch_drop(self->watch, &self->keepers);
  prof_watch_drop(self->watch, &self->set);
  if (self->type)
    prof_probes_remove(self->probes, self->type);
  self->type = 0;
}
