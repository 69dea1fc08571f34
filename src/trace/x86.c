#include "trace/x86.h"

#include <string.h>

/* What follows an opcode. */
enum {
  N = 0,   /* nothing */
  M = 1,   /* ModRM and what that calls for */
  B = 2,   /* imm8 */
  Z = 4,   /* imm32; imm16 with a 66 prefix */
  W = 8,   /* imm16 */
  V = 16,  /* mov r, imm: imm64 with REX.W */
  A = 32,  /* an absolute address: 8 bytes, 4 with a 67 prefix */
  X = 64,  /* not in 64-bit mode, or not for us */
  G = 128, /* F6, F7: an immediate only with /0 and /1 */
  MB = M | B,
  MZ = M | Z,
  WB = W | B, /* enter */
};

/* Prefixes (26 2e 36 3e 64-67 f0 f2 f3), REX (40-4f), 0f, VEX and EVEX are taken off before. */
static const uint8_t one_byte[256] = {
    M,  M,  M, M,  B, Z, X,     X,     M,  M,  M, M,  B, Z, X, X, /* 00 */
    M,  M,  M, M,  B, Z, X,     X,     M,  M,  M, M,  B, Z, X, X, /* 10 */
    M,  M,  M, M,  B, Z, X,     X,     M,  M,  M, M,  B, Z, X, X, /* 20 */
    M,  M,  M, M,  B, Z, X,     X,     M,  M,  M, M,  B, Z, X, X, /* 30 */
    X,  X,  X, X,  X, X, X,     X,     X,  X,  X, X,  X, X, X, X, /* 40 */
    N,  N,  N, N,  N, N, N,     N,     N,  N,  N, N,  N, N, N, N, /* 50 */
    X,  X,  X, M,  X, X, X,     X,     Z,  MZ, B, MB, N, N, N, N, /* 60 */
    B,  B,  B, B,  B, B, B,     B,     B,  B,  B, B,  B, B, B, B, /* 70 */
    MB, MZ, X, MB, M, M, M,     M,     M,  M,  M, M,  M, M, M, M, /* 80 */
    N,  N,  N, N,  N, N, N,     N,     N,  N,  X, N,  N, N, N, N, /* 90 */
    A,  A,  A, A,  N, N, N,     N,     B,  Z,  N, N,  N, N, N, N, /* a0 */
    B,  B,  B, B,  B, B, B,     B,     V,  V,  V, V,  V, V, V, V, /* b0 */
    MB, MB, W, N,  X, X, MB,    MZ,    WB, N,  W, N,  N, B, X, N, /* c0 */
    M,  M,  M, M,  X, X, X,     N,     M,  M,  M, M,  M, M, M, M, /* d0 */
    B,  B,  B, B,  B, B, B,     B,     Z,  Z,  X, B,  N, N, N, N, /* e0 */
    X,  N,  X, X,  N, N, M | G, M | G, N,  N,  N, N,  N, N, M, M, /* f0 */
};

static const uint8_t two_byte[256] = {
    M,  M,  M,  M,  X,  N,  N,  N, N, N, X,  N, X,  M, N, MB, /* 00 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* 10 */
    M,  M,  M,  M,  X,  X,  X,  X, M, M, M,  M, M,  M, M, M,  /* 20 */
    N,  N,  N,  N,  N,  N,  X,  N, X, X, X,  X, X,  X, X, X,  /* 30 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* 40 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* 50 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* 60 */
    MB, MB, MB, MB, M,  M,  M,  N, X, X, X,  X, M,  M, M, M,  /* 70 */
    Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z, Z, Z, Z,  Z, Z,  Z, Z, Z,  /* 80 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* 90 */
    N,  N,  N,  M,  MB, M,  X,  X, N, N, N,  M, MB, M, M, M,  /* a0 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, MB, M, M,  M, M, M,  /* b0 */
    M,  M,  MB, M,  MB, MB, MB, M, N, N, N,  N, N,  N, N, N,  /* c0 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* d0 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* e0 */
    M,  M,  M,  M,  M,  M,  M,  M, M, M, M,  M, M,  M, M, M,  /* f0 */
};

struct reader {
  const unsigned char *bytes;
  size_t size, at;
  bool short16, short_address, segment; /* 66, 67, 64 or 65 */
  uint8_t rex;
  bool wide;      /* REX.W */
  bool is_vector; /* VEX or EVEX: always has a ModRM but for vzeroupper */
  unsigned map;   /* 0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a, 5 and 6: FP16's */
  uint8_t opcode, modrm;
};

static bool has(const struct reader *r, size_t more) {
  return r->at + more <= r->size && r->at + more <= 15; /* no instruction is longer */
}

static bool read_prefixes(struct reader *r) {
  for (; has(r, 1); r->at++) {
    switch (r->bytes[r->at]) {
    case 0x66:
      r->short16 = true;
      break;
    case 0x67:
      r->short_address = true;
      break;
    case 0x64:
    case 0x65:
      r->segment = true;
      break;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0xf0:
    case 0xf2:
    case 0xf3:
      break;
    default:
      return true;
    }
  }
  return false;
}

/* REX, VEX and EVEX give the map; then comes the opcode. */
static bool read_opcode(struct reader *r) {
  uint8_t first = r->bytes[r->at];
  unsigned payload = first == 0xc5 ? 1 : first == 0xc4 ? 2 : first == 0x62 ? 3 : 0;
  if (payload) {
    if (!has(r, payload + 2))
      return false;
    r->is_vector = true;
    r->map = first == 0xc5 ? 1 : r->bytes[r->at + 1] & (first == 0xc4 ? 0x1f : 7);
    r->at += payload + 1;
    r->opcode = r->bytes[r->at++];
    return (r->map >= 1 && r->map <= 3) || (first == 0x62 && (r->map == 5 || r->map == 6));
  }
  if ((first & 0xf0) == 0x40) {
    r->rex = first;
    r->wide = first & 8;
    r->at++;
    if (!has(r, 1))
      return false;
    first = r->bytes[r->at];
  }
  r->at++;
  if (first == 0x0f) {
    if (!has(r, 1))
      return false;
    first = r->bytes[r->at++];
    r->map = first == 0x38 ? 2 : first == 0x3a ? 3 : 1;
    if (r->map > 1) {
      if (!has(r, 1))
        return false;
      first = r->bytes[r->at++];
    }
  }
  r->opcode = first;
  return true;
}

static unsigned what_follows(const struct reader *r) {
  switch (r->map) {
  case 0:
    return one_byte[r->opcode];
  case 1:
    /* Vector forms have ModRM everywhere but in vzeroupper, and are no jumps. */
    if (r->is_vector && r->opcode != 0x77)
      return M | (two_byte[r->opcode] & M ? two_byte[r->opcode] & B : 0);
    return two_byte[r->opcode];
  case 3:
    return MB;
  default:
    return M;
  }
}

static bool read_modrm(struct reader *r) {
  unsigned mod, rm, displacement = 0;
  if (!has(r, 1))
    return false;
  r->modrm = r->bytes[r->at++];
  mod = r->modrm >> 6;
  rm = r->modrm & 7;
  if (mod == 3)
    return true;
  if (rm == 4) {
    if (!has(r, 1))
      return false;
    if ((r->bytes[r->at++] & 7) == 5 && mod == 0)
      displacement = 4;
  } else if (rm == 5 && mod == 0) {
    displacement = 4;
  }
  displacement = mod == 1 ? 1 : mod == 2 ? 4 : displacement;
  r->at += displacement;
  return r->at <= r->size;
}

static unsigned immediate_bytes(const struct reader *r, unsigned follows) {
  bool is_jump = (r->map == 0 && (r->opcode == 0xe8 || r->opcode == 0xe9)) ||
                 (r->map == 1 && (r->opcode & 0xf0) == 0x80);
  unsigned word = r->short16 && !r->wide && !is_jump ? 2 : 4, bytes = 0;
  if ((follows & G) && ((r->modrm >> 3) & 7) < 2)
    bytes += r->opcode == 0xf6 ? 1 : word;
  bytes += follows & B ? 1 : 0;
  bytes += follows & Z ? word : 0;
  bytes += follows & W ? 2 : 0;
  bytes += follows & V ? (r->wide ? 8 : word) : 0;
  bytes += follows & A ? (r->short_address ? 4 : 8) : 0;
  return bytes;
}

/* The displacement is the last thing of a near jump. */
static int64_t target_of(const struct reader *r, unsigned bytes) {
  int32_t wide;
  if (bytes == 1)
    return (int64_t)r->at + (int8_t)r->bytes[r->at - 1];
  memcpy(&wide, r->bytes + r->at - 4, sizeof wide);
  return (int64_t)r->at + wide;
}

/* jmp *: through a register, or through memory at a register. ModRM (and what it brings) is the
 * last of the instruction. */
static void indirect(const struct reader *r, struct prof_x86 *out) {
  unsigned mod = r->modrm >> 6, rm = r->modrm & 7;
  out->kind = PROF_X86_JUMP_INDIRECT;
  out->base = PROF_X86_NO_BASE;
  out->in_memory = mod != 3;
  if (mod == 0 && rm == 5)
    out->kind = PROF_X86_JUMP_OUT;
  if ((mod == 0 && rm == 5) || (mod != 3 && rm == 4) || r->segment || r->short_address)
    return; /* with an index byte: a switch's table, mostly */
  out->base = (uint8_t)(rm | (r->rex & 1) << 3);
  if (mod == 1)
    out->displacement = (int8_t)r->bytes[r->at - 1];
  else if (mod == 2)
    memcpy(&out->displacement, r->bytes + r->at - 4, sizeof out->displacement);
}

static void classify(const struct reader *r, unsigned immediate, struct prof_x86 *out) {
  uint8_t opcode = r->opcode;
  unsigned reg = (r->modrm >> 3) & 7;
  if (r->is_vector || r->map > 1)
    return;
  if (r->map == 1) {
    if ((opcode & 0xf0) == 0x80) {
      out->kind = PROF_X86_JUMP_IF;
      out->target = target_of(r, immediate);
      out->is_emulated = true;
    }
    return;
  }
  out->is_emulated = (opcode & 0xf8) == 0x50 || opcode == 0x90 || opcode == 0xe8;
  if (opcode == 0xc3 || opcode == 0xc2) {
    out->kind = PROF_X86_RETURN;
  } else if (opcode == 0xe9 || opcode == 0xeb) {
    out->kind = PROF_X86_JUMP;
    out->target = target_of(r, immediate);
    out->is_emulated = true;
  } else if ((opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0) {
    out->kind = PROF_X86_JUMP_IF;
    out->target = target_of(r, immediate);
    out->is_emulated = (opcode & 0xf0) == 0x70;
  } else if (opcode == 0xff && reg == 4) {
    indirect(r, out);
  } else if (opcode == 0xff && (reg == 5 || reg == 3 || reg == 7)) {
    out->kind = PROF_X86_BAD; /* far; /7 does not exist */
  }
}

struct prof_x86 prof_x86_decode(const unsigned char *bytes, size_t size) {
  struct reader r = {.bytes = bytes, .size = size};
  struct prof_x86 out = {.kind = PROF_X86_BAD};
  unsigned follows, immediate;
  if (!read_prefixes(&r) || !read_opcode(&r))
    return out;
  follows = what_follows(&r);
  if ((follows & X) || ((follows & M) && !read_modrm(&r)))
    return out;
  if (r.map == 0 && r.opcode == 0x8f && (r.modrm & 0x38)) /* XOP */
    return out;
  immediate = immediate_bytes(&r, follows);
  r.at += immediate;
  if (r.at > size || r.at > 15)
    return out;
  out.kind = PROF_X86_OTHER;
  out.length = (unsigned)r.at;
  classify(&r, immediate, &out);
  return out;
}
