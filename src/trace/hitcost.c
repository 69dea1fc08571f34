#include "trace/hitcost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "base/clock.h"
#include "base/status.h"
#include "code/maps.h"
#include "perf/os.h"
#include "trace/probes.h"

/* Each batch is 100 to 2,000 us; the least of them is the one that nobody disturbed. */
enum { HITS = 200, BATCHES = 7, RING_PAGES = 64 };

void prof_hit_cost_emulated(void);
void prof_hit_cost_stepped(void);
__asm__(".pushsection .text\n"
        ".hidden prof_hit_cost_emulated\n.globl prof_hit_cost_emulated\n"
        ".type prof_hit_cost_emulated, @function\n"
        "prof_hit_cost_emulated:\n push %rbx\n pop %rbx\n ret\n"
        ".size prof_hit_cost_emulated, . - prof_hit_cost_emulated\n"
        ".hidden prof_hit_cost_stepped\n.globl prof_hit_cost_stepped\n"
        ".type prof_hit_cost_stepped, @function\n"
        "prof_hit_cost_stepped:\n lea 1(%rdi), %eax\n ret\n"
        ".size prof_hit_cost_stepped, . - prof_hit_cost_stepped\n"
        ".popsection\n");

struct place {
  uint64_t address, offset;
  int fd;
};

static void find_place(void *user, const struct prof_mapping *mapping) {
  struct place *place = user;
  if (place->address < mapping->start || place->address >= mapping->end)
    return;
  place->offset = place->address - mapping->start + mapping->offset;
  place->fd = open(mapping->path, O_RDONLY | O_CLOEXEC);
}

static double measure(void (*function)(void)) {
  uint64_t best = UINT64_MAX;
  for (int batch = 0; batch < BATCHES; batch++) {
    uint64_t start = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < HITS; i++)
      function();
    uint64_t took = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    best = took < best ? took : best;
  }
  return (double)best / HITS;
}

int prof_hit_cost_measure(struct prof_probes *probes, const struct prof_os *os,
                          struct prof_hit_cost *out, struct prof_error *error) {
  struct place places[2] = {{(uint64_t)(uintptr_t)prof_hit_cost_emulated, 0, -1},
                            {(uint64_t)(uintptr_t)prof_hit_cost_stepped, 0, -1}};
  struct prof_probe both[2];
  struct perf_event_attr attr;
  size_t refused, bytes = (RING_PAGES + 1) * (size_t)sysconf(_SC_PAGESIZE);
  uint32_t type;
  void *map = NULL;
  int fd = -1, status = PROF_OK, result;
  for (uint32_t i = 0; i < 2; i++) {
    int unused;
    prof_maps_read("/proc/self/maps", find_place, &places[i], &unused);
    both[i] = (struct prof_probe){.fd = places[i].fd, .offset = places[i].offset, .site = i};
  }
  status = prof_probes_define(probes, both, 2, &type, &refused, error);
  if (status)
    goto out;
  prof_probes_attr(type, &attr);
  attr.inherit = 0; /* with cpu -1 a ring is only to be had so */
  fd = os->perf_event_open(os->user, &attr, 0, -1);
  result = fd < 0 ? fd : os->map(os->user, fd, bytes, &map);
  if (result < 0) {
    status = prof_probes_refused("our own functions", result, error);
  } else {
    os->ioctl(os->user, fd, PERF_EVENT_IOC_ENABLE, 0);
    out->emulated_ns = measure(prof_hit_cost_emulated);
    out->stepped_ns = measure(prof_hit_cost_stepped);
  }
  if (map)
    os->unmap(os->user, map, bytes);
  if (fd >= 0)
    os->close(os->user, fd);
  prof_probes_remove(probes, type);
out:
  for (int i = 0; i < 2; i++)
    if (places[i].fd >= 0)
      close(places[i].fd);
  return status;
}
