/*
 * plt: adds a row for each stub of the procedure linkage table to a symtab, under the name of the
 * function that it calls.
 *
 * Reads .rela.plt beside .plt (x86-64: a header of 16 bytes, then 16 a stub) or .plt.sec (no
 * header). Called by prof_symtab_load before it sorts. Refuses layouts whose sizes do not fit the
 * relocations' number (no rows).
 */
#ifndef RSPACK_PROF_CODE_PLT_H
#define RSPACK_PROF_CODE_PLT_H

struct prof_symtab;

void prof_plt_append(struct prof_symtab *self);

#endif
