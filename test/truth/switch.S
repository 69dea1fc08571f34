/* Frames that no compiler writes: a switch to another stack as the stacker crate does it (the CFA
 * comes from rbp, which is on the old stack), a frame whose CFA is in rbx, one that is an
 * expression, and a chain of pushes. */
        .text

/* long on_stack(long argument, long (*function)(long), void *stack_top) */
        .globl  on_stack
        .type   on_stack, @function
on_stack:
        .cfi_startproc
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        movq    %rdx, %rsp
        callq   *%rsi
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   on_stack, .-on_stack

/* long on_stack_rbx(...): the same, the CFA in rbx */
        .globl  on_stack_rbx
        .type   on_stack_rbx, @function
on_stack_rbx:
        .cfi_startproc
        pushq   %rbx
        .cfi_def_cfa_offset 16
        .cfi_offset %rbx, -16
        movq    %rsp, %rbx
        .cfi_def_cfa_register %rbx
        movq    %rdx, %rsp
        callq   *%rsi
        movq    %rbx, %rsp
        .cfi_def_cfa_register %rsp
        popq    %rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size   on_stack_rbx, .-on_stack_rbx

/* long pushes(long argument, long (*function)(long)): no frame pointer, rows for each push */
        .globl  pushes
        .type   pushes, @function
pushes:
        .cfi_startproc
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbp, -24
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        xorl    %ebp, %ebp
        callq   *%rsi
        popq    %r12
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        popq    %r15
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   pushes, .-pushes

/* long kept_below(long argument, long (*function)(long)): the CFA stands in memory below rsp + 8,
 * as in code that realigned its stack by hand */
        .globl  kept_below
        .type   kept_below, @function
kept_below:
        .cfi_startproc
        leaq    8(%rsp), %rax
        .cfi_def_cfa %rax, 0
        andq    $-64, %rsp
        pushq   %rax
        pushq   %rax
        .cfi_escape 0x0f, 0x03, 0x77, 0x00, 0x06 /* CFA = [rsp + 0] */
        callq   *%rsi
        movq    (%rsp), %rcx
        .cfi_def_cfa %rcx, 0
        leaq    -8(%rcx), %rsp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   kept_below, .-kept_below

        .section .note.GNU-stack, "", @progbits
