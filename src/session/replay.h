/*
 * replay: a perf.data file -> a result, by the stages that a live recording goes through: order ->
 * unwinding of each sample's stack dump -> splice -> tree -> names.
 *
 * One process of the file is taken (the one with the most samples unless asked for another) and one
 * event (the first that has samples): their sum would mean nothing. Stack dumps are unwound with
 * the ELF files of this machine, callchains are taken as they are, JavaScript is named by the
 * perf-map. Nothing of this process is touched; any thread may call, several at once. Refuses: what
 * perf/datafile.h refuses, files without one sample of a process (PROF_BAD_FILE).
 */
#ifndef RSPACK_PROF_SESSION_REPLAY_H
#define RSPACK_PROF_SESSION_REPLAY_H

#include <stdint.h>

#include "base/status.h"
#include "session/result.h"

struct prof_replay_options {
  const char *path;
  const char *perf_map; /* NULL: perf-PID.map beside the file, then in /tmp */
  const char *event;    /* NULL: the first that has samples; with or without its modifiers */
  uint32_t pid;         /* 0: the one with the most samples */
  uint32_t max_frames;
};

int prof_replay_file(const struct prof_replay_options *options, struct prof_result **out,
                     struct prof_error *error);

#endif
