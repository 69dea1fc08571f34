#include "code/plt.h"

#include <stdlib.h>

#include "code/symtab.h"

enum { STUB_BYTES = 16, TABLE_MAX = 64 << 20, PLT_RANK = 3 };

/* The linker writes R_X86_64_IRELATIVE without a symbol: the addend is the resolver's address,
 * which is the value of the STT_GNU_IFUNC symbol itself. */
static uint32_t name_of_resolver(const Elf64_Sym *symbols, size_t count, uint64_t address) {
  for (size_t i = 1; i < count; i++)
    if (symbols[i].st_value == address && ELF64_ST_TYPE(symbols[i].st_info) == STT_GNU_IFUNC)
      return symbols[i].st_name;
  return 0;
}

static void append_stubs(struct prof_symtab *self, uint64_t address, const Elf64_Rela *relocations,
                         size_t count, const Elf64_Sym *symbols, size_t symbol_count) {
  for (size_t i = 0; i < count; i++) {
    uint64_t start = address + i * STUB_BYTES, index = ELF64_R_SYM(relocations[i].r_info);
    struct prof_symbol_row row = {.source = 1, .rank = PLT_RANK, .plt = 1};
    if (ELF64_R_TYPE(relocations[i].r_info) == R_X86_64_IRELATIVE)
      row.name = name_of_resolver(symbols, symbol_count, (uint64_t)relocations[i].r_addend);
    else if (index < symbol_count)
      row.name = symbols[index].st_name;
    if (row.name == 0 || row.name >= self->strings[1].size_bytes || start < self->base ||
        start - self->base > UINT32_MAX - STUB_BYTES)
      continue;
    row.start = (uint32_t)(start - self->base);
    row.end = row.start + STUB_BYTES;
    if (prof_symtab_append(self, &row))
      return;
  }
}

void prof_plt_append(struct prof_symtab *self) {
  struct prof_image *image = &self->image;
  const Elf64_Shdr *relocation = prof_image_section(image, ".rela.plt");
  const Elf64_Shdr *dynamic = prof_image_section(image, ".dynsym");
  const Elf64_Shdr *plt = prof_image_section(image, ".plt.sec"), *strings;
  size_t relocation_bytes = 0, symbol_bytes = 0, count;
  Elf64_Rela *relocations = NULL;
  Elf64_Sym *symbols = NULL;
  uint64_t header = 0;
  if (!plt) {
    plt = prof_image_section(image, ".plt");
    header = STUB_BYTES;
  }
  strings = dynamic ? prof_image_section_at(image, dynamic->sh_link) : NULL;
  if (!relocation || !plt || !strings || relocation->sh_entsize != sizeof(Elf64_Rela) ||
      strings->sh_type != SHT_STRTAB || !prof_image_holds(image, strings))
    return;
  relocations = prof_image_read_section(image, relocation, TABLE_MAX, &relocation_bytes);
  symbols = prof_image_read_section(image, dynamic, TABLE_MAX, &symbol_bytes);
  count = relocation_bytes / sizeof(Elf64_Rela);
  if (relocations && symbols && plt->sh_size == header + count * STUB_BYTES) {
    self->strings[1].image = image;
    self->strings[1].offset = strings->sh_offset;
    self->strings[1].size_bytes = strings->sh_size;
    append_stubs(self, plt->sh_addr + header, relocations, count, symbols,
                 symbol_bytes / sizeof(Elf64_Sym));
  }
  free(relocations);
  free(symbols);
}
