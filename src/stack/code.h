/*
 * code: what the bytes of the machine code around a pc say about its frame, where no row does.
 *
 * No disassembler: it knows the few patterns that compilers, linkers and V8 use around calls,
 * prologues, epilogues and PLT stubs. All reads go through prof_memory_code. x86_64's; of arm64
 * call_before, row, page_is_plain and plt alone, beside those of stack/code_arm64.h. Refuses
 * (false) dumps, and pages that cannot be read.
 */
#ifndef RSPACK_PROF_STACK_CODE_H
#define RSPACK_PROF_STACK_CODE_H

#include "stack/unwind.h"

enum prof_call { PROF_CALL_NONE, PROF_CALL_DIRECT, PROF_CALL_INDIRECT };

/* The call instruction that ends at address, so that address can be a return address. DIRECT: its
 * target is known, in *target (also through the GOT, and V8's through the root register r13, by its
 * value in regs; regs may be NULL). */
enum prof_call prof_code_call_before(struct prof_memory *memory, uint64_t address,
                                     const struct prof_regs *regs, uint64_t *target);

/* Where an instruction that is about to run at pc has its return address when it has no complete
 * frame: *depth bytes above rsp. has_pushed: the caller's rbp is at rsp, not in the register. */
bool prof_code_frameless(struct prof_memory *memory, uint64_t pc, uint64_t *depth,
                         bool *has_pushed);

/* What the code before pc, in the order of addresses, did with its frame. V8's code objects are
 * padded with int3, so that the start of one can be seen. */
enum prof_code_frame {
  PROF_FRAME_UNKNOWN,
  PROF_FRAME_NOT_YET, /* since the start nobody has pushed rbp: the return address is near rsp */
  PROF_FRAME_LEFT,    /* a byte like leave's, nothing has returned since: perhaps it is at rsp */
  PROF_FRAME_RBP_BACK /* rbp is the caller's, rsp may still be in the frame (V8's CompileLazy) */
};
enum prof_code_frame prof_code_frame(struct prof_memory *memory, uint64_t pc);

/* How many bytes the code from pc on takes off the stack (add rsp, n) before it jumps or returns.
 */
uint32_t prof_code_released(struct prof_memory *memory, uint64_t pc);

/* The return address is in a register for a moment, while arguments are dropped (pop, lea rsp,
 * push, ret): the register's DWARF number; -1: it is not. */
int prof_code_popped(struct prof_memory *memory, uint64_t pc);

/* The return address is in a register for longer: popped in the last bytes before pc where
 * there was no frame yet, not pushed since, and behind a call (V8's builtins that add arguments, or
 * make their caller's frame). The register's DWARF number; -1: none is. */
int prof_code_held(struct prof_memory *memory, const struct prof_regs *regs);

/* The call that returns to address was made on a stack that had just been switched to (mov rsp,
 * reg; call reg), and behind it rbp brings the old one back (mov rsp, rbp; pop rbp; ret), as the
 * stacker crate's assembly has it. */
bool prof_code_switch(struct prof_memory *memory, uint64_t address);

/* Code in an image without a row for pc (as for look-up), whose bytes have only one meaning: the
 * row that it should have; else NO_ROW. */
prof_row prof_code_row(uint64_t pc);
/* Whether that is NO_ROW everywhere in the page at this address. */
bool prof_code_page_is_plain(uint64_t page);

/* pc is in a PLT stub: the return address is *depth bytes above rsp. */
bool prof_code_plt(struct prof_memory *memory, uint64_t pc, uint64_t *depth);

#endif
