#include "trace/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENT_BYTES_MAX = 1 + 10 + 5 + 10 + 10 + 5 };

/* All of it or nothing: a chunk cut short is taken back. */
static void write_whole(struct prof_spill *self, const void *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t wrote = write(self->fd, (const char *)bytes + done, size - done);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote <= 0) {
      self->failure = wrote < 0 ? errno : EIO;
      if (ftruncate(self->fd, (off_t)self->bytes)) {
        /* The reader finds the chunk cut short, and stops there. */
      }
      return;
    }
    done += (size_t)wrote;
  }
  self->bytes += size;
}

int prof_spill_open(struct prof_spill *self, int fd) {
  *self = (struct prof_spill){.fd = fd};
  self->chunk = malloc(sizeof(struct prof_spill_head) + PROF_SPILL_CHUNK_BYTES);
  if (!self->chunk) {
    close(fd);
    self->fd = -1;
    return -1;
  }
  write_whole(self, PROF_SPILL_MAGIC, sizeof PROF_SPILL_MAGIC - 1);
  return 0;
}

static void put(struct prof_spill *self, uint64_t number) {
  unsigned char *at = self->chunk + sizeof(struct prof_spill_head) + self->used;
  unsigned length = 0;
  for (; number >= 128; number >>= 7)
    at[length++] = (unsigned char)(number | 128);
  at[length++] = (unsigned char)number;
  self->used += length;
}

static uint64_t zigzag(int64_t number) {
  return (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
}

void prof_spill_add(struct prof_spill *self, const struct prof_call_event *event) {
  if (self->fd < 0 || self->failure) {
    self->missed += self->failure != 0;
    return;
  }
  put(self, event->kind);
  put(self, zigzag((int64_t)(event->time_ns - self->last_ns)));
  put(self, zigzag((int64_t)event->tid - (int64_t)self->last_tid));
  if (event->kind == PROF_CALL_ENTRY)
    put(self, event->func);
  if (event->kind == PROF_CALL_SPAWNED) {
    put(self, event->frame - event->parent);
    put(self, event->time_ns - event->spawned_ns);
    put(self, zigzag((int64_t)event->spawner_tid - (int64_t)event->tid));
  }
  self->last_ns = event->time_ns;
  self->last_tid = event->tid;
  self->in_chunk++;
  if (self->used + EVENT_BYTES_MAX > PROF_SPILL_CHUNK_BYTES)
    prof_spill_flush(self);
}

void prof_spill_flush(struct prof_spill *self) {
  struct prof_spill_head head = {.events = self->in_chunk, .bytes = (uint32_t)self->used};
  const unsigned char *bytes;
  if (self->fd < 0 || self->failure || self->in_chunk == 0)
    return;
  memcpy(&head.magic, "CALL", 4);
  bytes = self->chunk + sizeof head;
  head.check = 2166136261u;
  for (size_t i = 0; i < self->used; i++)
    head.check = (head.check ^ bytes[i]) * 16777619u;
  memcpy(self->chunk, &head, sizeof head);
  write_whole(self, self->chunk, sizeof head + self->used);
  *(self->failure ? &self->missed : &self->events) += self->in_chunk;
  self->in_chunk = 0;
  self->used = 0;
}

void prof_spill_close(struct prof_spill *self) {
  prof_spill_flush(self);
  if (self->fd >= 0)
    close(self->fd);
  self->fd = -1;
  free(self->chunk);
  self->chunk = NULL;
}
