/* Leaves one stack and goes on with another. */
#include "net/task_switch.h"

#include "base/banned.h"

#include <stdint.h>
#include <string.h>

#ifdef TASK_SWITCH_UCONTEXT

void task_switch_prepare(task_place *place, char *stack, size_t size, void (*entry)(void))
{
    getcontext(place);
    place->uc_stack.ss_sp = stack;
    place->uc_stack.ss_size = size;
    place->uc_link = NULL;
    makecontext(place, entry, 0);
}

void task_switch(task_place *from, task_place *to)
{
    swapcontext(from, to);
}

#else

/* Keeps the stack pointer in *keep, takes `next` instead; the registers lie on the stacks. */
void task_switch_registers(void **keep, void *next);

#if defined(__x86_64__)

/* System V ABI: rbx, rbp, r12 to r15 belong to the caller. With shadow stacks (off everywhere unless asked for) ucontext is needed. */
enum { KEPT = 6, RETURN_AT = KEPT, FRAME = KEPT + 2 }; /* words: registers, return address, and one for alignment */

__asm__(".pushsection .text\n"
        ".p2align 4\n"
        ".globl task_switch_registers\n"
        ".hidden task_switch_registers\n"
        ".type task_switch_registers, @function\n"
        "task_switch_registers:\n"
        "  endbr64\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size task_switch_registers, . - task_switch_registers\n"
        ".popsection\n");

#else

/* AAPCS64: x19 to x29, the return address x30, and d8 to d15 belong to the caller. */
enum { RETURN_AT = 11, FRAME = 20 };

__asm__(".pushsection .text\n"
        ".p2align 4\n"
        ".globl task_switch_registers\n"
        ".hidden task_switch_registers\n"
        ".type task_switch_registers, %function\n"
        "task_switch_registers:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  ret\n"
        ".size task_switch_registers, . - task_switch_registers\n"
        ".popsection\n");

#endif

void task_switch_prepare(task_place *place, char *stack, size_t size, void (*entry)(void))
{
    uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
    uintptr_t *frame = (uintptr_t *)top - FRAME; /* zeroes: no caller, where a debugger's walk ends */
    memset(frame, 0, FRAME * sizeof *frame);
    frame[RETURN_AT] = (uintptr_t)entry;
    place->stack_pointer = frame;
}

void task_switch(task_place *from, task_place *to)
{
    task_switch_registers(&from->stack_pointer, to->stack_pointer);
}

#endif
