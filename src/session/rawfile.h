/*
 * rawfile: the ring's records of a recording as they came, dumps included, kept as a perf.data.
 *
 * Before them stand records for the threads and mappings that were there already (as perf makes
 * them), and beside the file perf-PID.map with the names of V8's code. What live memory gave beyond
 * a dump is in no record of the kernel's, and so not in the file.
 *
 * The caller provides the recording, whose events are open and whose threads are listed. Refuses
 * what perf/datasave.h refuses: the recording goes on without the file, which is said in a note.
 */
#ifndef RSPACK_PROF_SESSION_RAWFILE_H
#define RSPACK_PROF_SESSION_RAWFILE_H

#include "session/recording.h"

/* Does nothing where options.raw_path is NULL. */
void prof_rawfile_begin(struct prof_recording *recording);
void prof_rawfile_record(struct prof_recording *recording, const struct perf_event_header *header,
                         const struct prof_record *record);
void prof_rawfile_round(struct prof_recording *recording);
/* After the last record; a second call does nothing. */
void prof_rawfile_end(struct prof_recording *recording);

#endif
