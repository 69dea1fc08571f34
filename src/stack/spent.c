#include "stack/spent.h"

static void add(_Atomic uint64_t *counter, uint64_t value) {
  uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
  atomic_store_explicit(counter, old + value, memory_order_relaxed);
}

void prof_spent_add(struct prof_spent *self, uint64_t wall_ns) {
  if (wall_ns < PROF_SPENT_WAITED_NS) {
    add(&self->worked_ns, wall_ns);
    add(&self->worked, 1);
  } else {
    add(&self->waited_ns, wall_ns);
    add(&self->waited, 1);
  }
}

uint64_t prof_spent_ns(const struct prof_spent *self) {
  uint64_t worked_ns = atomic_load_explicit(&self->worked_ns, memory_order_relaxed);
  uint64_t worked = atomic_load_explicit(&self->worked, memory_order_relaxed);
  uint64_t waited_ns = atomic_load_explicit(&self->waited_ns, memory_order_relaxed);
  uint64_t waited = atomic_load_explicit(&self->waited, memory_order_relaxed);
  if (waited >= worked) /* long walks, or too few to know */
    return worked_ns + waited_ns;
  return worked_ns + (uint64_t)((double)worked_ns / (double)worked * (double)waited);
}

void prof_spent_clear(struct prof_spent *self) {
  atomic_store_explicit(&self->worked_ns, 0, memory_order_relaxed);
  atomic_store_explicit(&self->worked, 0, memory_order_relaxed);
  atomic_store_explicit(&self->waited_ns, 0, memory_order_relaxed);
  atomic_store_explicit(&self->waited, 0, memory_order_relaxed);
}
