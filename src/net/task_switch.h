/*
 * Leaves one stack and goes on with another; for net/task.c only.
 *
 * By hand for x86-64 and aarch64, for swapcontext() asks the kernel for the signal mask each time: three system calls a
 * request, as much as reading it and answering together. Signal masks are the process's here, and nobody changes floating point modes, so the
 * registers that a function must keep are all there is. Elsewhere (or with -DTASK_SWITCH_UCONTEXT): ucontext.
 */
#ifndef NET_TASK_SWITCH_H
#define NET_TASK_SWITCH_H

#include <stddef.h>

#if !defined(TASK_SWITCH_UCONTEXT) && !defined(__x86_64__) && !defined(__aarch64__)
#define TASK_SWITCH_UCONTEXT
#endif

#ifdef TASK_SWITCH_UCONTEXT
#include <ucontext.h>
typedef ucontext_t task_place;
#else
typedef struct {
    void *stack_pointer; /* below it lie the kept registers */
} task_place;
#endif

/* A place at the top of an unused stack, where entry() begins; entry() must never return. */
void task_switch_prepare(task_place *place, char *stack, size_t size, void (*entry)(void));

/* Keeps where we are in *from and goes on at *to; returns when somebody switches to *from. */
void task_switch(task_place *from, task_place *to);

#endif
