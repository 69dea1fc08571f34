#include "steps.h"

#include "stack/context.h"
#include "stack/recall.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { DEPTH = 16384, TRAP_FLAG = 0x100, PAGE = 4096, STACK_BYTES = 1 << 18, NEAR = 1 << 20 };

enum effect { EFFECT_NONE, EFFECT_CALL, EFFECT_RET, EFFECT_JUMP, EFFECT_SYSCALL };

struct entry {
  uint64_t word;  /* as the walk should have it */
  uint64_t at;    /* where the return address stands; 0: not known */
  bool is_signal; /* the frame that a signal interrupted */
  uint64_t sp;    /* then: its stack pointer */
};

static struct {
  struct prof_unwind *unwind;
  struct prof_memory memory;
  struct steps_result result;
  struct entry entries[DEPTH]; /* outermost first */
  uint32_t count;
  uint64_t words[DEPTH], again[DEPTH];
  struct prof_recall last, older; /* of the stop before; of several stops before */
  uint8_t code[16];               /* at pc, which runs next */
  uint64_t pc, sp, rax;
  pid_t tid;
  bool is_on;
  struct sigaction before;
  stack_t stack_before;
  struct {
    uint64_t start, end;
  } leaving[STEPS_LEAVING];
  uint32_t leaving_count;
} self;

extern const char steps_stop[];
/* rdi: order, rsi: argument; the handler does the work. */
__asm__(".text\n.globl steps_command\n.type steps_command, @function\nsteps_command:\n"
        ".cfi_startproc\nint3\n.globl steps_stop\nsteps_stop:\nret\n.cfi_endproc\n"
        ".size steps_command, .-steps_command\n");

static uint64_t word_at(uint64_t address) {
  uint64_t word;
  memcpy(&word, (const void *)(uintptr_t)address, 8);
  return word;
}

static void read_code(uint64_t pc) {
  size_t left = PAGE - pc % PAGE, size = left < sizeof self.code ? left : sizeof self.code;
  memset(self.code, 0x90, sizeof self.code);
  memcpy(self.code, (const void *)(uintptr_t)pc, size);
}

static enum effect effect_of(const uint8_t *code) {
  const uint8_t *at = code;
  while (at < code + 8 && (*at == 0x66 || *at == 0xf2 || *at == 0xf3 || *at == 0x2e ||
                           *at == 0x36 || *at == 0x3e || *at == 0x26 || *at == 0x64 || *at == 0x65))
    at++;
  if (*at >> 4 == 4)
    at++;
  if (*at == 0xe8 || (*at == 0xff && (at[1] >> 3 & 7) == 2))
    return EFFECT_CALL;
  if (*at == 0xc3 || *at == 0xc2)
    return EFFECT_RET;
  if (*at == 0xff && (at[1] >> 3 & 7) == 4)
    return EFFECT_JUMP;
  return at[0] == 0x0f && at[1] == 0x05 ? EFFECT_SYSCALL : EFFECT_NONE;
}

static void push(uint64_t word, uint64_t at) {
  if (self.count < DEPTH)
    self.entries[self.count++] = (struct entry){.word = word, .at = at};
  if (self.count > self.result.deepest)
    self.result.deepest = self.count;
}

static uint64_t address_of(const struct entry *entry) {
  return PROF_WORD_VALUE(entry->word) + 1;
}

/* Frames that the stack pointer has left behind without a ret. A return address that only moved up
 * over arguments that were dropped (V8) is at rsp again when its function jumps on. */
static void drop_left(uint64_t sp) {
  while (self.count) {
    struct entry *top = &self.entries[self.count - 1];
    if (!top->at || top->is_signal || top->at >= sp || sp - top->at > NEAR)
      return;
    if (word_at(sp) == address_of(top)) {
      top->at = sp;
      return;
    }
    self.result.jumped++;
    self.count--;
  }
}

static void after_ret(uint64_t pc, uint64_t sp) {
  self.result.returns++;
  if (self.count && address_of(&self.entries[self.count - 1]) == pc) {
    self.count--;
    return;
  }
  drop_left(sp); /* push + ret is a jump too */
  if (self.count && address_of(&self.entries[self.count - 1]) == pc)
    self.count--;
}

/* What ran since the last stop: the instruction at self.pc. */
static void apply(uint64_t pc, uint64_t sp) {
  enum effect effect = effect_of(self.code);
  if (effect == EFFECT_SYSCALL) {
    /* The flag is back with the return to user mode, and stops behind the instruction after. */
    if (self.rax == SYS_rt_sigreturn) {
      while (self.count && !self.entries[self.count - 1].is_signal)
        self.count--;
      if (!self.count)
        return;
      struct entry *interrupted = &self.entries[--self.count];
      self.pc = PROF_WORD_VALUE(interrupted->word);
      self.sp = interrupted->sp;
    } else {
      self.pc += 2;
    }
    if (pc == self.pc)
      return;
    read_code(self.pc);
    effect = effect_of(self.code);
  }
  if (effect == EFFECT_CALL && sp == self.sp - 8 && word_at(sp) - self.pc < 16) {
    self.result.calls++;
    push(PROF_WORD(PROF_WORD_RETURN, word_at(sp) - 1), sp);
  } else if (effect == EFFECT_RET) {
    after_ret(pc, sp);
  } else if (effect == EFFECT_JUMP) {
    drop_left(sp);
  } else if (self.count && self.entries[self.count - 1].at - sp - 1 < PAGE &&
             word_at(sp) == address_of(&self.entries[self.count - 1])) {
    self.entries[self.count - 1].at = sp; /* V8 moves it down to make room for missing arguments */
  }
}

static uint64_t wanted(uint64_t pc, uint32_t index) {
  if (index == 0)
    return PROF_WORD(PROF_WORD_PC, pc);
  return index <= self.count ? self.entries[self.count - index].word : ~0ull;
}

static uint32_t first_difference(const struct prof_walk *walk, uint64_t pc) {
  uint32_t index = 0;
  while (index < walk->count && index <= self.count && walk->words[index] == wanted(pc, index))
    index++;
  return index;
}

/* Whether the walk differs from the list only in return addresses that were written anew: what the
 * walk says stands in memory where the call put another. */
static bool is_rewritten(const struct prof_walk *walk, uint64_t pc) {
  bool changed = false;
  if (walk->count != self.count + 1)
    return false;
  for (uint32_t i = 1; i < walk->count; i++) {
    struct entry *entry = &self.entries[self.count - i];
    if (walk->words[i] == wanted(pc, i))
      continue;
    if (!entry->at || entry->is_signal ||
        walk->words[i] != PROF_WORD(PROF_WORD_RETURN, word_at(entry->at) - 1))
      return false;
    entry->word = walk->words[i];
    self.result.rewritten++;
    changed = true;
  }
  return changed;
}

static void note(const struct prof_walk *walk, uint64_t pc, uint32_t at) {
  struct steps_result *result = &self.result;
  uint32_t row = 0, from = at < 2 ? 0 : at - 2;
  result->wrong++;
  while (row < result->shown && result->wrongs[row].pc != pc)
    row++;
  if (row == STEPS_SHOWN)
    return;
  struct steps_wrong *wrong = &result->wrongs[row];
  if (row == result->shown) {
    result->shown++;
    *wrong = (struct steps_wrong){.pc = pc,
                                  .got_count = walk->count,
                                  .want_count = self.count + 1,
                                  .differs_at = at,
                                  .end = walk->end,
                                  .flags = walk->flags};
    for (uint32_t i = 0; i < STEPS_CONTEXT; i++) {
      wrong->got[i] = from + i < walk->count ? walk->words[from + i] : 0;
      wrong->want[i] = from + i <= self.count ? wanted(pc, from + i) : 0;
    }
  }
  wrong->count++;
}

static void walk_again(const struct prof_regs *regs, const struct prof_walk *first,
                       struct prof_recall *recall) {
  struct prof_walk walk = {.words = self.again, .recall = recall, .capacity = DEPTH};
  prof_unwind_walk(self.unwind, &self.memory, regs, &walk);
  if (walk.count != first->count || walk.end != first->end || walk.end_pc != first->end_pc ||
      walk.flags != first->flags || memcmp(walk.words, first->words, walk.count * 8) != 0)
    self.result.not_recalled++;
}

static void walk_from(const struct prof_regs *regs, struct prof_walk *walk) {
  uint32_t kept = 0;
  *walk = (struct prof_walk){.words = self.words, .capacity = DEPTH};
  prof_unwind_walk(self.unwind, &self.memory, regs, walk);
  walk_again(regs, walk, &self.last);
  if (self.result.steps % STEPS_APART == 0)
    walk_again(regs, walk, &self.older);
  for (uint32_t i = 0; i < walk->count; i++) {
    enum prof_word kind = PROF_WORD_KIND(walk->words[i]);
    if (kind == PROF_WORD_PC || kind == PROF_WORD_RETURN)
      walk->words[kept++] = walk->words[i];
  }
  walk->count = kept;
}

/* The innermost frames are code that gives frames up: their registers and return addresses are
 * already those of the place that is gone to. */
static bool is_leaving(uint64_t pc) {
  uint64_t caller = PROF_WORD_VALUE(wanted(pc, 1));
  for (uint32_t i = 0; i < self.leaving_count; i++) {
    uint64_t size = self.leaving[i].end - self.leaving[i].start;
    if (caller - self.leaving[i].start < size || pc - self.leaving[i].start < size)
      return true;
  }
  return false;
}

void steps_leaving(uint64_t start, uint64_t end) {
  if (self.leaving_count == STEPS_LEAVING)
    return;
  self.leaving[self.leaving_count].start = start;
  self.leaving[self.leaving_count++].end = end;
}

static void compare(const struct prof_regs *regs) {
  struct prof_walk walk;
  uint64_t pc = regs->r[16];
  walk_from(regs, &walk);
  self.result.steps++;
  if (walk.flags & (PROF_WALK_GUESS_FP | PROF_WALK_GUESS_SCAN))
    self.result.guessed++;
  uint32_t at = first_difference(&walk, pc);
  if (at != self.count + 1 && is_rewritten(&walk, pc))
    at = first_difference(&walk, pc);
  if (at == self.count + 1 && walk.count == at && walk.end == PROF_WALK_COMPLETE)
    return;
  if (is_leaving(pc))
    self.result.leaving++;
  else
    note(&walk, pc, at);
}

static void begin(const struct prof_regs *regs) {
  struct prof_walk walk;
  memset(&self.result, 0, sizeof self.result);
  self.last.passed = self.older.passed = 0;
  self.count = 0;
  self.is_on = true;
  walk_from(regs, &walk);
  for (uint32_t i = walk.count; i-- > 1;)
    push(walk.words[i], 0);
  self.entries[self.count - 1].at = regs->r[7];
}

/* In a handler that the kernel called: above it are its return to the kernel's stub and what the
 * signal interrupted. The list still is as it was then, but for the instruction before. */
static void signalled(const struct prof_regs *regs) {
  const ucontext_t *inner = (const void *)(uintptr_t)regs->r[4];
  uint64_t pc = (uint64_t)inner->uc_mcontext.gregs[REG_RIP];
  uint64_t sp = (uint64_t)inner->uc_mcontext.gregs[REG_RSP];
  uint64_t restorer_at = regs->r[4] - 8;
  if (pc != self.pc)
    apply(pc, sp);
  push(PROF_WORD(PROF_WORD_PC, pc), 0);
  self.entries[self.count - 1].is_signal = true;
  self.entries[self.count - 1].sp = sp;
  push(PROF_WORD(PROF_WORD_RETURN, word_at(restorer_at) - 1), restorer_at);
  push(PROF_WORD(PROF_WORD_RETURN, word_at(regs->r[7]) - 1), regs->r[7]);
}

static void on_trap(int number, siginfo_t *info, void *user) {
  ucontext_t *context = user;
  struct prof_regs regs;
  (void)number, (void)info;
  prof_context_registers(context, &regs);
  if (syscall(SYS_gettid) != self.tid) {
    context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG; /* a child that was born with it */
    return;
  }
  if (regs.r[16] == (uint64_t)(uintptr_t)steps_stop && info->si_code != TRAP_TRACE) {
    if (regs.r[5] == STEPS_BEGIN)
      begin(&regs);
    else if (regs.r[5] == STEPS_SIGNALLED && self.is_on)
      signalled(&regs);
    else if (regs.r[5] == STEPS_END)
      self.is_on = false;
  } else if (self.is_on) {
    apply(regs.r[16], regs.r[7]);
  }
  if (self.is_on) {
    compare(&regs);
    context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
  } else {
    context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
  }
  self.pc = regs.r[16];
  self.sp = regs.r[7];
  self.rax = regs.r[0];
  read_code(self.pc);
}

int steps_install(struct prof_unwind *unwind) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
  stack_t stack = {.ss_size = STACK_BYTES};
  stack.ss_sp = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  action.sa_sigaction = on_trap;
  self.unwind = unwind;
  self.tid = (pid_t)syscall(SYS_gettid);
  prof_memory_live(&self.memory);
  return stack.ss_sp == MAP_FAILED || sigaltstack(&stack, &self.stack_before) ||
                 sigaction(SIGTRAP, &action, &self.before)
             ? -1
             : 0;
}

void steps_uninstall(void) {
  sigaction(SIGTRAP, &self.before, NULL);
}

const struct steps_result *steps_result(void) {
  self.result.recalled = self.last.passed + self.older.passed;
  return &self.result;
}
