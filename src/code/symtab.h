/*
 * symtab: the function symbols of one ELF file as a sorted table: address -> name.
 *
 * From .symtab, else .dynsym; PLT stubs as "name@plt". Rows are 16 bytes and hold no text: names
 * are read from the file when they are asked for, so that the 35 MB string table of a big binding
 * never enters memory. Of several symbols at one address perf's order of preference decides (sized,
 * strong, global, fewer leading underscores, longer readable name), so that our tables can be
 * compared with perf's; the part of it that needs names is decided at the look-up.
 *
 * An unsized symbol ends where the next one starts, or its section ends. Takes the images over and
 * closes them in the end. Refuses data symbols, those outside executable sections, malformed tables
 * (no rows), addresses 4 GB and more above the lowest one.
 */
#ifndef RSPACK_PROF_CODE_SYMTAB_H
#define RSPACK_PROF_CODE_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code/image.h"

#define PROF_SYMBOL_NAME_MAX 65536

struct prof_symbol_row {
  uint32_t start;  /* from base */
  uint32_t end;    /* exclusive; above start */
  uint32_t name;   /* offset into its string table */
  uint8_t rank;    /* lower is preferred; rows of one start stand in this order */
  bool source : 1; /* 0 .symtab's strings, 1 .dynsym's */
  bool plt : 1;    /* the stub that calls the symbol of that name */
  bool nested : 1; /* some row before this one ends after this one starts */
  bool chosen : 1; /* of the rows of its start: it is the first then */
};

enum { PROF_SYMTAB_PIECE_SHIFT = 12 }; /* a large binding has ten functions in one */

struct prof_symtab {
  struct prof_image image; /* the file that is mapped */
  struct prof_image debug; /* its separate debug file; fd -1: none */
  struct prof_symbol_row *rows;
  size_t count, capacity;
  uint32_t *pieces; /* of code, 2^12 bytes each: rows before it; NULL: none */
  size_t piece_count;
  uint64_t base; /* virtual address that rows count from */
  struct {
    const struct prof_image *image;
    uint64_t offset, size_bytes;
  } strings[2]; /* by source */
};

/* Reads the tables of an image and of its separate debug file (NULL: none). 0, or -1 where there
 * are no symbols that we can use (both are closed then). self must stay where it is. */
int prof_symtab_load(struct prof_symtab *self, struct prof_image *image, struct prof_image *debug);
void prof_symtab_free(struct prof_symtab *self);

/* Takes the images over (debug NULL: none) for a table that has no rows yet. */
void prof_symtab_take(struct prof_symtab *self, struct prof_image *image, struct prof_image *debug);

/* One more row, before they are sorted; -1 where memory ends. */
int prof_symtab_append(struct prof_symtab *self, const struct prof_symbol_row *row);

/* Row that holds a virtual address, after the choice among its aliases; -1: none. */
int64_t prof_symtab_find(struct prof_symtab *self, uint64_t address);

/* Where the function that holds a virtual address begins; false: none holds it. Reads no names. */
bool prof_symtab_start(const struct prof_symtab *self, uint64_t address, uint64_t *start);

/* NUL-terminated linker name into out; its length, or -1. "@plt" is not appended. */
int64_t prof_symtab_name(const struct prof_symtab *self, size_t row, char *out, size_t capacity);

#endif
