/* stack/cfi over real files, with libdw as the oracle. PROF_LONG=1 compares every row instead of a
 * sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/cfi.h"
#include "stack/row.h"

struct file {
  int fd;
  uint8_t *bytes;
  size_t size;
  Elf *elf;
  struct prof_cfi_image image;
};

static bool open_file(struct file *self, const char *path) {
  struct stat info;
  Elf_Scn *section = NULL;
  size_t names;
  memset(self, 0, sizeof *self);
  self->fd = open(path, O_RDONLY);
  if (self->fd < 0 || fstat(self->fd, &info))
    return false;
  self->size = (size_t)info.st_size;
  self->bytes = mmap(NULL, self->size, PROT_READ, MAP_PRIVATE, self->fd, 0);
  elf_version(EV_CURRENT);
  self->elf = elf_begin(self->fd, ELF_C_READ_MMAP, NULL);
  if (!self->elf || elf_getshdrstrndx(self->elf, &names))
    return false;
  while ((section = elf_nextscn(self->elf, section))) {
    GElf_Shdr header;
    const char *name;
    gelf_getshdr(section, &header);
    name = elf_strptr(self->elf, names, header.sh_name);
    struct prof_cfi_section got = {self->bytes + header.sh_offset, header.sh_size, header.sh_addr};
    if (strcmp(name, ".eh_frame_hdr") == 0)
      self->image.hdr = got;
    if (strcmp(name, ".eh_frame") == 0)
      self->image.frame = got;
  }
  return self->image.hdr.bytes && self->image.frame.bytes;
}

static bool same_cfa(Dwarf_Frame *frame, const struct file *file, const struct prof_cfi_row *row) {
  Dwarf_Op *ops;
  size_t count;
  uint32_t length;
  if (dwarf_frame_cfa(frame, &ops, &count) != 0)
    return false;
  if (row->cfa_is_expression) /* the operations are compared through the pack of known ones */
    return count > 1 && prof_cfi_expression(&file->image, row->cfa_value, &length);
  if (count != 1)
    return false;
  if (ops[0].atom == DW_OP_bregx)
    return ops[0].number == row->cfa_register && (int64_t)ops[0].number2 == row->cfa_value;
  return ops[0].atom == (unsigned)DW_OP_breg0 + row->cfa_register &&
         (int64_t)ops[0].number == row->cfa_value;
}

/* libdw gives: NULL and 0 undefined, NULL and ops_mem same value, call_frame_cfa [plus_uconst n]
 * saved there, ... stack_value: the value itself. */
static bool same_rule(Dwarf_Frame *frame, const struct prof_cfi_row *row, unsigned slot, int reg) {
  Dwarf_Op memory[3], *ops;
  size_t count;
  int64_t offset = 0;
  bool is_value;
  if (dwarf_frame_register(frame, reg, memory, &ops, &count) != 0)
    return false;
  if (count == 0 && slot == PROF_CFI_RA) /* whichever way libdw says it */
    return row->rule[slot] == PROF_CFI_UNDEFINED;
  if (count == 0 && ops)
    return row->rule[slot] == PROF_CFI_SAME;
  if (count == 0) /* libdw takes a register without a rule for undefined; the ABI keeps it */
    return row->rule[slot] == PROF_CFI_UNDEFINED || row->rule[slot] == PROF_CFI_SAME;
  if (ops[0].atom != DW_OP_call_frame_cfa)
    return row->rule[slot] == PROF_CFI_EXPRESSION || row->rule[slot] == PROF_CFI_VAL_EXPRESSION ||
           (row->rule[slot] == PROF_CFI_REGISTER && ops[0].atom == DW_OP_regx &&
            (int64_t)ops[0].number == row->value[slot]);
  is_value = ops[count - 1].atom == DW_OP_stack_value;
  if (is_value)
    count--;
  if (count == 2 && ops[1].atom == DW_OP_plus_uconst)
    offset = (int64_t)ops[1].number;
  else if (count != 1)
    return row->rule[slot] == PROF_CFI_EXPRESSION || row->rule[slot] == PROF_CFI_VAL_EXPRESSION;
  if (slot == PROF_CFI_SP && is_value && offset == 0) /* the ABI's default */
    return row->rule[slot] == PROF_CFI_SAME;
  return row->rule[slot] == (is_value ? PROF_CFI_VAL_OFFSET : PROF_CFI_OFFSET) &&
         row->value[slot] == offset;
}

/* Prints and returns how many rows differ; kinds of rows in kinds[]. */
static unsigned long compare_file(const char *path, unsigned stride) {
  static const int number_of[PROF_CFI_SLOTS] = PROF_ARCH_SLOTS;
  struct file file;
  unsigned long rows = 0, different = 0, kinds[16] = {0};
  Dwarf_CFI *cfi;
  if (!open_file(&file, path))
    return 0;
  cfi = dwarf_getcfi_elf(file.elf);
  for (uint32_t i = 0; i < prof_cfi_count(&file.image); i += stride) {
    uint64_t pc = prof_cfi_first_pc(&file.image, i);
    struct prof_cfi_row row;
    enum prof_cfi_status status;
    while ((status = prof_cfi_compile(&file.image, pc, &row)) == PROF_CFI_OK) {
      Dwarf_Frame *frame = NULL;
      Dwarf_Addr start, end;
      bool is_signal, same;
      rows++;
      kinds[PROF_ROW_KIND(prof_row_pack(&file.image, &row))]++;
      same = dwarf_cfi_addrframe(cfi, pc, &frame) == 0 &&
             dwarf_frame_info(frame, &start, &end, &is_signal) >= 0;
      /* Behind a restore_state libdw's start is the remembered row's: earlier than ours. */
      same = same && start <= row.start && end == row.end && is_signal == row.is_signal_frame &&
             same_cfa(frame, &file, &row);
      for (unsigned slot = 0; same && slot < PROF_CFI_SLOTS; slot++)
        same = same_rule(frame, &row, slot, number_of[slot]);
      if (!same && different++ < 5)
        print_message("%s: 0x%lx differs\n", path, (unsigned long)pc);
      free(frame);
      if (row.end >= row.function_end)
        break;
      pc = row.end;
    }
    if (status == PROF_CFI_BAD && different++ < 5)
      print_message("%s: 0x%lx does not parse\n", path, (unsigned long)pc);
  }
  print_message("%s: %lu rows, %lu normal, %lu indirect, %lu plt, %lu signal, %lu start, %lu slow; "
                "%lu differ from libdw\n",
                path, rows, kinds[PROF_ROW_NORMAL], kinds[PROF_ROW_INDIRECT], kinds[PROF_ROW_PLT],
                kinds[PROF_ROW_SIGNAL], kinds[PROF_ROW_START], kinds[PROF_ROW_SLOW], different);
  return rows == 0 ? 1 : different;
}

/* In a child: libdw's tsearch was seen to crash on one of these files, and that would be its error.
 */
static void compare_in_child(const char *path, unsigned stride) {
  int status;
  pid_t child;
  if (access(path, R_OK)) {
    print_message("skipped: %s is not there\n", path);
    skip();
  }
  if (getenv("PROF_LONG"))
    stride = 1;
  fflush(NULL);
  child = fork();
  if (child == 0) {
    unsigned long different = compare_file(path, stride);
    fflush(NULL);
    _exit(different ? 1 : 0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) {
    print_message("skipped: libdw died of signal %d on %s\n", WTERMSIG(status), path);
    skip();
  }
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void libdw_agrees_on_libc(void **state) {
  (void)state;
  compare_in_child("/lib/x86_64-linux-gnu/libc.so.6", 1);
}

static void libdw_agrees_on_the_loader(void **state) {
  (void)state;
  compare_in_child("/lib64/ld-linux-x86-64.so.2", 1);
}

static void libdw_agrees_on_node(void **state) {
  char path[4096];
  FILE *pipe = popen("node -p process.execPath 2>/dev/null", "r");
  (void)state;
  path[0] = 0;
  if (pipe) {
    if (fgets(path, sizeof path, pipe))
      path[strcspn(path, "\n")] = 0;
    pclose(pipe);
  }
  compare_in_child(path, 61);
}

static void libdw_agrees_on_the_binding(void **state) {
  (void)state;
  compare_in_child("../../node_modules/@rspack-debug/binding-linux-x64-gnu/"
                   "rspack.linux-x64-gnu.node",
                   97);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(libdw_agrees_on_libc),
      cmocka_unit_test(libdw_agrees_on_the_loader),
      cmocka_unit_test(libdw_agrees_on_node),
      cmocka_unit_test(libdw_agrees_on_the_binding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
