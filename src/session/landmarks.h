/*
 * landmarks: what a walk of this process's own stacks ends at or goes by: V8's builtins, and libc's
 * start of a thread. Told to the unwinder and to the splice.
 *
 * The caller is the recording's thread, with its stages open. Refuses: nothing; what is not found
 * stays unknown.
 */
#ifndef RSPACK_PROF_SESSION_LANDMARKS_H
#define RSPACK_PROF_SESSION_LANDMARKS_H

struct prof_recording;

/* Where V8's builtins are, when that is not what the unwinder knows already. */
void prof_landmarks_publish(struct prof_recording *recording);

/* Where libc's start_thread is: the frame below the outermost one of the calling thread. */
void prof_landmarks_find(struct prof_recording *recording);

#endif
