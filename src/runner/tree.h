/*
 * tree: the processes below this one, found through /proc by their parents' ids.
 *
 * The caller has made itself their subreaper (PR_SET_CHILD_SUBREAPER): whoever loses its parent
 * becomes its child, so that nothing that was started below it, in whatever session or process
 * group, leaves the tree. Processes in other PID namespaces are seen as long as their /proc is.
 *
 * Refuses nothing; a process that ends meanwhile is left out.
 */
#ifndef RSPACK_PROF_RUNNER_TREE_H
#define RSPACK_PROF_RUNNER_TREE_H

/* Sends a signal to every process below root; how many there were that still run (no zombies). */
int prof_tree_signal(int root, int signal);

#endif
