#include "stack/cfi.h"

#include <string.h>

#include "stack/cfi_read.h"

struct state {
  int32_t cfa_value;
  uint8_t cfa_register;
  bool cfa_is_expression;
  uint8_t rule[PROF_CFI_SLOTS];
  int32_t value[PROF_CFI_SLOTS];
};

struct cie {
  const uint8_t *code, *code_end; /* initial instructions */
  uint64_t code_align;
  int64_t data_align;
  uint8_t pointer_encoding;
  bool has_augmentation_size, is_signal_frame;
};

struct machine {
  const struct prof_cfi_image *image;
  const struct cie *cie;
  struct state now, initial, stack[PROF_CFI_DEPTH];
  unsigned depth;
  uint64_t pc, start, end; /* wanted; the row that is being built */
};

static int32_t narrow(struct prof_cursor *reader, int64_t value) {
  if (value != (int32_t)value)
    reader->bad = true;
  return (int32_t)value;
}

/* The reader over one entry's body, behind its length; *id_at: where its id field stands. */
static bool open_entry(const struct prof_cfi_section *frame, uint64_t offset,
                       struct prof_cursor *out, uint64_t *id_at) {
  uint64_t length;
  if (offset >= frame->size)
    return false;
  *out = (struct prof_cursor){frame->bytes + offset, frame->bytes + frame->size, false};
  length = prof_cfi_fixed(out, 4);
  if (out->bad || length < 4 || length > (uint64_t)(out->end - out->at)) /* 0xffffffff: too long */
    return false;
  out->end = out->at + length;
  *id_at = (uint64_t)(out->at - frame->bytes);
  return true;
}

static bool read_augmentation(const struct prof_cfi_image *image, struct prof_cursor *reader,
                              const uint8_t *letters, struct cie *out) {
  uint64_t size = prof_cfi_uleb(reader);
  const uint8_t *end;
  if (reader->bad || size > (uint64_t)(reader->end - reader->at))
    return false;
  end = reader->at + size;
  for (; *letters; letters++) {
    if (*letters == 'R')
      out->pointer_encoding = (uint8_t)prof_cfi_fixed(reader, 1);
    else if (*letters == 'L')
      prof_cfi_fixed(reader, 1);
    else if (*letters == 'P') { /* the personality: only its length matters */
      uint8_t encoding = (uint8_t)prof_cfi_fixed(reader, 1);
      prof_cfi_pointer(reader, encoding & 0x0f, &image->frame, 0);
    } else if (*letters == 'S')
      out->is_signal_frame = true;
    else if (*letters != 'B')
      break; /* unknown: the size says where it ends */
  }
  if (reader->bad || reader->at > end)
    return false;
  reader->at = end;
  return true;
}

static bool read_cie(const struct prof_cfi_image *image, uint64_t offset, struct cie *out) {
  struct prof_cursor reader;
  uint64_t id_at, version, return_register;
  const uint8_t *letters;
  memset(out, 0, sizeof *out);
  if (!open_entry(&image->frame, offset, &reader, &id_at) || prof_cfi_fixed(&reader, 4) != 0)
    return false;
  version = prof_cfi_fixed(&reader, 1);
  letters = reader.at;
  while (prof_cfi_fixed(&reader, 1))
    ;
  out->code_align = prof_cfi_uleb(&reader);
  out->data_align = prof_cfi_sleb(&reader);
  return_register = version == 1 ? prof_cfi_fixed(&reader, 1) : prof_cfi_uleb(&reader);
  if (reader.bad || (version != 1 && version != 3) || return_register != PROF_REG_RETURN)
    return false;
  if (*letters == 'z') {
    out->has_augmentation_size = true;
    if (!read_augmentation(image, &reader, letters + 1, out))
      return false;
  } else if (*letters) {
    return false;
  }
  out->code = reader.at;
  out->code_end = reader.end;
  return true;
}

static void set_rule(struct machine *self, uint64_t dwarf_register, enum prof_cfi_rule rule,
                     int32_t value) {
  int slot = prof_arch_slot(dwarf_register);
  if (slot >= 0) {
    self->now.rule[slot] = (uint8_t)rule;
    self->now.value[slot] = value;
  }
}

static void restore_rule(struct machine *self, uint64_t dwarf_register) {
  int slot = prof_arch_slot(dwarf_register);
  if (slot >= 0)
    set_rule(self, dwarf_register, self->initial.rule[slot], self->initial.value[slot]);
}

static void set_cfa_register(struct machine *self, struct prof_cursor *reader) {
  uint64_t number = prof_cfi_uleb(reader);
  if (number >= PROF_REGS)
    reader->bad = true;
  self->now.cfa_register = (uint8_t)number;
}

/* The offset of an expression block within the section; skips it. */
static int32_t skip_expression(struct machine *self, struct prof_cursor *reader) {
  int64_t offset = reader->at - self->image->frame.bytes;
  uint64_t length = prof_cfi_uleb(reader);
  if (reader->bad || length > (uint64_t)(reader->end - reader->at)) {
    reader->bad = true;
    return 0;
  }
  reader->at += length;
  return narrow(reader, offset);
}

/* A factored offset; the product may be anything, as the bytes may. */
static int32_t factored(struct machine *self, struct prof_cursor *reader, bool is_signed) {
  uint64_t value = prof_cfi_leb(reader, is_signed);
  return narrow(reader, (int64_t)(value * (uint64_t)self->cie->data_align));
}

/* Moves on to a later row; false: the wanted one ends here. */
static bool advance(struct machine *self, struct prof_cursor *reader, uint64_t next) {
  if (next < self->start) {
    reader->bad = true;
    return true;
  }
  if (self->pc < next) {
    if (next < self->end)
      self->end = next;
    return false;
  }
  self->start = next;
  return true;
}

/* The opcodes whose high two bits are 0; false: the wanted row is complete. */
static bool run_extended(struct machine *self, struct prof_cursor *reader, uint8_t opcode) {
  uint64_t number;
  int32_t value;
  switch (opcode) {
  case 0x00: /* nop */
    return true;
  case 0x01: /* set_loc */
    return advance(self, reader,
                   prof_cfi_pointer(reader, self->cie->pointer_encoding, &self->image->frame, 0));
  case 0x02: /* advance_loc1, 2, 4 */
  case 0x03:
  case 0x04:
    number = prof_cfi_fixed(reader, 1u << (opcode - 2));
    return advance(self, reader, self->start + number * self->cie->code_align);
  case 0x05: /* offset_extended */
  case 0x11: /* offset_extended_sf */
    number = prof_cfi_uleb(reader);
    set_rule(self, number, PROF_CFI_OFFSET, factored(self, reader, opcode == 0x11));
    return true;
  case 0x06: /* restore_extended */
    restore_rule(self, prof_cfi_uleb(reader));
    return true;
  case 0x07: /* undefined */
    set_rule(self, prof_cfi_uleb(reader), PROF_CFI_UNDEFINED, 0);
    return true;
  case 0x08: /* same_value */
    set_rule(self, prof_cfi_uleb(reader), PROF_CFI_SAME, 0);
    return true;
  case 0x09: /* register */
    number = prof_cfi_uleb(reader);
    value = narrow(reader, (int64_t)prof_cfi_uleb(reader));
    set_rule(self, number, PROF_CFI_REGISTER, value);
    return true;
  case 0x0a: /* remember_state */
    if (self->depth == PROF_CFI_DEPTH)
      reader->bad = true;
    else
      self->stack[self->depth++] = self->now;
    return true;
  case 0x0b: /* restore_state */
    if (self->depth == 0)
      reader->bad = true;
    else
      self->now = self->stack[--self->depth];
    return true;
  case 0x0c: /* def_cfa */
  case 0x12: /* def_cfa_sf */
    set_cfa_register(self, reader);
    self->now.cfa_is_expression = false;
    self->now.cfa_value = opcode == 0x12 ? factored(self, reader, true)
                                         : narrow(reader, (int64_t)prof_cfi_uleb(reader));
    return true;
  case 0x0d: /* def_cfa_register */
    set_cfa_register(self, reader);
    reader->bad |= self->now.cfa_is_expression;
    return true;
  case 0x0e: /* def_cfa_offset */
  case 0x13: /* def_cfa_offset_sf */
    reader->bad |= self->now.cfa_is_expression;
    self->now.cfa_value = opcode == 0x13 ? factored(self, reader, true)
                                         : narrow(reader, (int64_t)prof_cfi_uleb(reader));
    return true;
  case 0x0f: /* def_cfa_expression */
    self->now.cfa_is_expression = true;
    self->now.cfa_value = skip_expression(self, reader);
    return true;
  case 0x10: /* expression */
  case 0x16: /* val_expression */
    number = prof_cfi_uleb(reader);
    value = skip_expression(self, reader);
    set_rule(self, number, opcode == 0x10 ? PROF_CFI_EXPRESSION : PROF_CFI_VAL_EXPRESSION, value);
    return true;
  case 0x14: /* val_offset */
  case 0x15: /* val_offset_sf */
    number = prof_cfi_uleb(reader);
    set_rule(self, number, PROF_CFI_VAL_OFFSET, factored(self, reader, opcode == 0x15));
    return true;
#if defined(PROF_ARCH_ARM64)
  case 0x2c: /* AARCH64_negate_ra_state_with_pc: whether it is signed does not matter, for */
  case 0x2d: /* AARCH64_negate_ra_state: prof_arch_code takes every signature off */
    return true;
#endif
  case 0x2e: /* GNU_args_size: for landing pads only */
    prof_cfi_uleb(reader);
    return true;
  case 0x2f: /* GNU_negative_offset_extended */
    number = prof_cfi_uleb(reader);
    value = factored(self, reader, false);
    set_rule(self, number, PROF_CFI_OFFSET, (int32_t)(0u - (uint32_t)value));
    return true;
  default:
    reader->bad = true;
    return true;
  }
}

static bool run(struct machine *self, const uint8_t *code, const uint8_t *end) {
  struct prof_cursor reader = {code, end, false};
  while (reader.at < reader.end && !reader.bad) {
    uint8_t opcode = *reader.at++;
    bool goes_on = true;
    switch (opcode >> 6) {
    case 0:
      goes_on = run_extended(self, &reader, opcode);
      break;
    case 1: /* advance_loc */
      goes_on = advance(self, &reader, self->start + (opcode & 0x3f) * self->cie->code_align);
      break;
    case 2: /* offset */
      set_rule(self, opcode & 0x3f, PROF_CFI_OFFSET, factored(self, &reader, false));
      break;
    case 3: /* restore */
      restore_rule(self, opcode & 0x3f);
      break;
    }
    if (!goes_on)
      return !reader.bad;
  }
  return !reader.bad;
}

static void fill_row(const struct machine *self, struct prof_cfi_row *out) {
  const struct state *now = &self->now;
  out->start = self->start;
  out->end = self->end;
  out->cfa_value = now->cfa_value;
  out->cfa_register = now->cfa_register;
  out->cfa_is_expression = now->cfa_is_expression;
  out->is_signal_frame = self->cie->is_signal_frame;
  memcpy(out->rule, now->rule, sizeof out->rule);
  memcpy(out->value, now->value, sizeof out->value);
}

/* The function that the entry at offset is about, and the reader before its instructions. */
static bool open_function(const struct prof_cfi_image *image, uint64_t offset,
                          struct prof_cursor *reader, struct cie *cie, uint64_t *first,
                          uint64_t *size) {
  uint64_t id_at, distance;
  if (!open_entry(&image->frame, offset, reader, &id_at))
    return false;
  distance = prof_cfi_fixed(reader, 4);
  if (distance == 0 || distance > id_at || !read_cie(image, id_at - distance, cie))
    return false;
  *first = prof_cfi_pointer(reader, cie->pointer_encoding, &image->frame, 0);
  *size = prof_cfi_pointer(reader, cie->pointer_encoding & 0x0f, &image->frame, 0);
  if (cie->has_augmentation_size) {
    uint64_t skip = prof_cfi_uleb(reader);
    if (skip > (uint64_t)(reader->end - reader->at))
      return false;
    reader->at += skip;
  }
  return !reader->bad && *first + *size >= *first;
}

bool prof_cfi_next(const struct prof_cfi_image *image, uint64_t *offset, uint64_t *first,
                   uint64_t *size) {
  struct prof_cursor reader;
  struct cie cie;
  uint64_t id_at, entry = *offset;
  *size = 0;
  if (!open_entry(&image->frame, entry, &reader, &id_at))
    return false;
  *offset = (uint64_t)(reader.end - image->frame.bytes);
  if (!open_function(image, entry, &reader, &cie, first, size))
    *size = 0;
  return true;
}

enum prof_cfi_status prof_cfi_compile(const struct prof_cfi_image *image, uint64_t pc,
                                      struct prof_cfi_row *out) {
  struct prof_cursor reader;
  struct cie cie;
  struct machine machine;
  uint64_t offset, first, size;
  enum prof_cfi_status status = prof_cfi_find(image, pc, &offset);
  if (status != PROF_CFI_OK)
    return status;
  if (!open_function(image, offset, &reader, &cie, &first, &size))
    return PROF_CFI_BAD;
  if (pc < first || pc >= first + size)
    return PROF_CFI_NONE;
  memset(&machine, 0, offsetof(struct machine, stack));
  machine.image = image;
  machine.cie = &cie;
  machine.depth = 0;
  machine.pc = pc;
  machine.start = first;
  machine.end = first + size;
  if (!run(&machine, cie.code, cie.code_end))
    return PROF_CFI_BAD;
  machine.initial = machine.now;
  machine.depth = 0;
  if (!run(&machine, reader.at, reader.end))
    return PROF_CFI_BAD;
  fill_row(&machine, out);
  out->function_start = first;
  out->function_end = first + size;
  return PROF_CFI_OK;
}

const uint8_t *prof_cfi_expression(const struct prof_cfi_image *image, int32_t offset,
                                   uint32_t *length) {
  struct prof_cursor reader;
  uint64_t size;
  if (offset < 0 || (uint64_t)offset >= image->frame.size)
    return NULL;
  reader = (struct prof_cursor){image->frame.bytes + offset, image->frame.bytes + image->frame.size,
                                false};
  size = prof_cfi_uleb(&reader);
  if (reader.bad || size > (uint64_t)(reader.end - reader.at))
    return NULL;
  *length = (uint32_t)size;
  return reader.at;
}
