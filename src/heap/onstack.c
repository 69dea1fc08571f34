#include "heap/onstack.h"

#if defined(__x86_64__)
/* rdi, rsi, rdx: the arguments (System V ABI AMD64, 3.2.3). */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl prof_heap_on_stack\n"
        ".hidden prof_heap_on_stack\n"
        ".type prof_heap_on_stack, @function\n"
        "prof_heap_on_stack:\n"
        "  .cfi_startproc\n"
        "  pushq %rbp\n"
        "  .cfi_def_cfa_offset 16\n"
        "  .cfi_offset %rbp, -16\n"
        "  movq %rsp, %rbp\n"
        "  .cfi_def_cfa_register %rbp\n"
        "  movq %rdi, %rsp\n"
        "  movq %rdx, %rdi\n"
        "  call *%rsi\n"
        "  movq %rbp, %rsp\n"
        "  popq %rbp\n"
        "  .cfi_def_cfa %rsp, 8\n"
        "  ret\n"
        "  .cfi_endproc\n"
        ".size prof_heap_on_stack, . - prof_heap_on_stack\n"
        ".previous\n");
#else
void prof_heap_on_stack(void *top, void (*call)(void *user), void *user) {
  (void)top;
  call(user);
}
#endif
