/*
 * image: the bytes of one 64-bit little-endian ELF file, read with bounds, from a file descriptor
 * or from memory of this process (vdso).
 *
 * Files are read with pread, never mapped: a file that shrinks under us gives a short read, not
 * SIGBUS in somebody's build. Header and program headers are read at open; section headers at the
 * first prof_image_section(). Every number of the file is hostile until it has been checked here.
 *
 * The caller keeps the memory of a memory image alive. Refuses: 32-bit, big-endian, relocatable
 * objects, more than 128 program headers or 4096 sections.
 */
#ifndef RSPACK_PROF_CODE_IMAGE_H
#define RSPACK_PROF_CODE_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROF_BUILD_ID_TEXT 129 /* 64 bytes as hex and a NUL; longer ones are refused */

struct prof_image {
  int fd;                      /* -1: memory */
  const unsigned char *memory; /* NULL: file */
  uint64_t size_bytes;
  Elf64_Ehdr header;
  Elf64_Phdr *segments; /* header.e_phnum rows */
  Elf64_Shdr *sections; /* NULL before they were asked for, or where there are none */
  size_t section_count;
  char *section_names; /* NUL-terminated block */
  size_t section_names_bytes;
  bool sections_tried;
};

/* 0, or -1 where this is no ELF image that we read (self is then empty and needs no close). */
int prof_image_open_file(struct prof_image *self, const char *path);
int prof_image_open_memory(struct prof_image *self, const void *memory, size_t size_bytes);
void prof_image_close(struct prof_image *self);

/* size bytes from file offset; -1 where they are not all there. */
int prof_image_read(const struct prof_image *self, uint64_t offset, void *out, size_t size);

/* How many bytes of the file are mapped from a virtual address on, in a segment with these flags
 * (PF_X, 0 any), and where they begin in it; 0: none. */
uint64_t prof_image_at(const struct prof_image *self, uint64_t address, uint32_t flags,
                       uint64_t *offset);

/* Whether all of a section's bytes are there, and as they are: neither NOBITS nor compressed. */
bool prof_image_holds(const struct prof_image *self, const Elf64_Shdr *section);

/* A malloc'ed copy of a section that the image holds, at most limit bytes; NULL with *size 0 where
 * it cannot be had. */
void *prof_image_read_section(struct prof_image *self, const Elf64_Shdr *section, size_t limit,
                              size_t *size);

/* By name, NULL where there is none. Valid until close. */
const Elf64_Shdr *prof_image_section(struct prof_image *self, const char *name);
const Elf64_Shdr *prof_image_section_at(struct prof_image *self, size_t index);

/* It has unwind rows that no .eh_frame_hdr lists: .debug_frame (but one of a 64th of the .eh_frame
 * that is listed), or an .eh_frame without one. */
bool prof_image_is_unindexed(struct prof_image *self);

/* Lower-case hex of the GNU build id of the notes in a PT_NOTE segment or a note section; "" and
 * false where there is none. */
bool prof_image_build_id(struct prof_image *self, char out[PROF_BUILD_ID_TEXT]);

/* For a file without a build id: the first 4096 bytes of .text, as 16-byte blocks XORed into one,
 * in 32 digits of hex. It is what breakpad and its descendants take (dump_syms, samply), so that
 * their symbol files fit. Builds whose .text starts alike share it. "" and false without .text. */
bool prof_image_content_id(struct prof_image *self, char out[PROF_BUILD_ID_TEXT]);

/* The same as build_id from the raw bytes of notes. */
bool prof_notes_build_id(const unsigned char *notes, size_t size, char out[PROF_BUILD_ID_TEXT]);

#endif
