#include "stack/expr.h"

#include "stack/cfi_read.h"

struct evaluation {
  struct prof_cursor reader;
  const uint8_t *start;
  const struct prof_regs *regs;
  struct prof_memory *memory;
  uint64_t stack[PROF_EXPR_DEPTH];
  unsigned depth;
};

static void push(struct evaluation *self, uint64_t value) {
  if (self->depth == PROF_EXPR_DEPTH)
    self->reader.bad = true;
  else
    self->stack[self->depth++] = value;
}

static uint64_t pop(struct evaluation *self) {
  if (self->depth == 0) {
    self->reader.bad = true;
    return 0;
  }
  return self->stack[--self->depth];
}

static void pick(struct evaluation *self, uint64_t index) {
  if (index >= self->depth)
    self->reader.bad = true;
  else
    push(self, self->stack[self->depth - 1 - index]);
}

static void push_register(struct evaluation *self, uint64_t number) {
  int64_t offset = prof_cfi_sleb(&self->reader);
  if (number >= PROF_REGS || !prof_regs_has(self->regs, (unsigned)number))
    self->reader.bad = true;
  else
    push(self, self->regs->r[number] + (uint64_t)offset);
}

static void dereference(struct evaluation *self, unsigned bytes) {
  uint64_t address = pop(self), value = 0;
  /* Aligned down: a read of fewer than 8 bytes must not need the page behind. */
  uint64_t base = bytes == 8 ? address : address & ~7ull;
  if (bytes == 0 || bytes > 8 || (bytes & (bytes - 1)) || address - base + bytes > 8 ||
      self->reader.bad || !prof_memory_read(self->memory, base, &value)) {
    self->reader.bad = true;
    return;
  }
  value >>= 8 * (address - base);
  push(self, bytes == 8 ? value : value & ((1ull << 8 * bytes) - 1));
}

static void jump(struct evaluation *self, bool taken) {
  int16_t distance = (int16_t)prof_cfi_fixed(&self->reader, 2);
  const uint8_t *at = self->reader.at;
  if (!taken || self->reader.bad)
    return;
  if (distance < self->start - at || distance > self->reader.end - at)
    self->reader.bad = true;
  else
    self->reader.at = at + distance;
}

static uint64_t shift(uint64_t value, uint64_t count, uint8_t opcode) {
  if (opcode == 0x26) /* shra: of a signed value, that every compiler of ours does arithmetically */
    return (uint64_t)((int64_t)value >> (count > 63 ? 63 : count));
  if (count > 63)
    return 0;
  return opcode == 0x24 ? value << count : value >> count;
}

static bool compare(int64_t left, int64_t right, uint8_t opcode) {
  switch (opcode) {
  case 0x29:
    return left == right;
  case 0x2a:
    return left >= right;
  case 0x2b:
    return left > right;
  case 0x2c:
    return left <= right;
  case 0x2d:
    return left < right;
  default:
    return left != right;
  }
}

static void divide(struct evaluation *self, uint64_t left, uint64_t right, uint8_t opcode) {
  if (right == 0 || (opcode == 0x1b && right == ~0ull && left == 1ull << 63))
    self->reader.bad = true;
  else
    push(self, opcode == 0x1b ? (uint64_t)((int64_t)left / (int64_t)right) : left % right);
}

static void two_operands(struct evaluation *self, uint8_t opcode) {
  uint64_t right = pop(self), left = pop(self);
  switch (opcode) {
  case 0x1a:
    push(self, left & right);
    break;
  case 0x1b: /* div: signed */
  case 0x1d: /* mod: unsigned */
    divide(self, left, right, opcode);
    break;
  case 0x1c:
    push(self, left - right);
    break;
  case 0x1e:
    push(self, left * right);
    break;
  case 0x21:
    push(self, left | right);
    break;
  case 0x22:
    push(self, left + right);
    break;
  case 0x24:
  case 0x25:
  case 0x26:
    push(self, shift(left, right, opcode));
    break;
  case 0x27:
    push(self, left ^ right);
    break;
  default:
    push(self, compare((int64_t)left, (int64_t)right, opcode));
  }
}

static void constant(struct evaluation *self, uint8_t opcode) {
  struct prof_cursor *reader = &self->reader;
  static const uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 8, 8};
  if (opcode == 0x10) {
    push(self, prof_cfi_uleb(reader));
  } else if (opcode == 0x11) {
    push(self, (uint64_t)prof_cfi_sleb(reader));
  } else { /* const1u, 1s, 2u ... 8s */
    unsigned count = bytes[opcode - 0x08];
    uint64_t value = prof_cfi_fixed(reader, count);
    if (opcode & 1) {
      unsigned spare = 64 - 8 * count;
      value = (uint64_t)((int64_t)(value << spare) >> spare);
    }
    push(self, value);
  }
}

static void rearrange(struct evaluation *self, uint8_t opcode) {
  uint64_t first, second, third;
  switch (opcode) {
  case 0x12: /* dup */
    pick(self, 0);
    break;
  case 0x13: /* drop */
    pop(self);
    break;
  case 0x14: /* over */
    pick(self, 1);
    break;
  case 0x15: /* pick */
    pick(self, prof_cfi_fixed(&self->reader, 1));
    break;
  case 0x16: /* swap */
    first = pop(self), second = pop(self);
    push(self, first);
    push(self, second);
    break;
  default: /* rot: the top goes below the two others */
    first = pop(self), second = pop(self), third = pop(self);
    push(self, first);
    push(self, third);
    push(self, second);
  }
}

static void step(struct evaluation *self) {
  uint8_t opcode = (uint8_t)prof_cfi_fixed(&self->reader, 1);
  uint64_t value;
  if (opcode >= 0x30 && opcode <= 0x4f)
    push(self, opcode - 0x30u);
  else if (opcode >= 0x70 && opcode <= 0x8f)
    push_register(self, opcode - 0x70u);
  else if (opcode >= 0x08 && opcode <= 0x11)
    constant(self, opcode);
  else if (opcode >= 0x12 && opcode <= 0x17)
    rearrange(self, opcode);
  else if ((opcode >= 0x1a && opcode <= 0x1e) || opcode == 0x21 || opcode == 0x22 ||
           (opcode >= 0x24 && opcode <= 0x27) || (opcode >= 0x29 && opcode <= 0x2e))
    two_operands(self, opcode);
  else
    switch (opcode) {
    case 0x03: /* addr */
      push(self, prof_cfi_fixed(&self->reader, 8));
      break;
    case 0x06:
      dereference(self, 8);
      break;
    case 0x94:
      dereference(self, (unsigned)prof_cfi_fixed(&self->reader, 1));
      break;
    case 0x19: /* abs */
      value = pop(self);
      push(self, value >> 63 ? 0 - value : value);
      break;
    case 0x1f:
      push(self, 0 - pop(self));
      break;
    case 0x20:
      push(self, ~pop(self));
      break;
    case 0x23:
      value = prof_cfi_uleb(&self->reader);
      push(self, pop(self) + value);
      break;
    case 0x28: /* bra */
      jump(self, pop(self) != 0);
      break;
    case 0x2f: /* skip */
      jump(self, true);
      break;
    case 0x92: /* bregx */
      push_register(self, prof_cfi_uleb(&self->reader));
      break;
    case 0x96: /* nop */
      break;
    default:
      self->reader.bad = true;
    }
}

bool prof_expr_evaluate(const uint8_t *bytes, uint32_t length, const struct prof_regs *regs,
                        struct prof_memory *memory, const uint64_t *initial, uint64_t *out) {
  struct evaluation self;
  self.reader = (struct prof_cursor){bytes, bytes + length, false};
  self.start = bytes;
  self.regs = regs;
  self.memory = memory;
  self.depth = 0;
  if (initial)
    push(&self, *initial);
  for (unsigned steps = 0; self.reader.at < self.reader.end && !self.reader.bad; steps++) {
    if (steps == PROF_EXPR_STEPS)
      return false;
    step(&self);
  }
  if (self.reader.bad || self.depth == 0)
    return false;
  *out = self.stack[self.depth - 1];
  return true;
}
