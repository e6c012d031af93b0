# After reset: clear the variables, set the stack, run. A trap is reported and stops the firmware.

#include "contract.h"

    .section .start, "ax"
    .globl _start
_start:
    la   t0, trap
    csrw mtvec, t0
#ifdef MAC_CUSTOM
    li   t0, -1
    csrw 0xbc0, t0  # lets the core use its custom instructions
#endif
    li   sp, RAM_BYTES
    la   t0, variables_begin
    la   t1, variables_end
1:  bgeu t0, t1, 2f
    sw   zero, 0(t0)
    addi t0, t0, 4
    j    1b
2:  call main

    .balign 4
trap:
    csrr t0, mcause
    li   t1, PERIPHERAL_BASE
    sw   t0, PERIPHERAL_FAULT(t1)
3:  j    3b
