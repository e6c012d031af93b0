// What compilers call to multiply, for a CPU that does not.

#ifndef __riscv_mul

#include <stdint.h>

uint64_t __muldi3(uint64_t a, uint64_t b);
uint32_t __mulsi3(uint32_t a, uint32_t b);

uint64_t __muldi3(uint64_t a, uint64_t b) {
    uint64_t product = 0;
    for (; b; b >>= 1, a <<= 1)
        if (b & 1) product += a;
    return product;
}

uint32_t __mulsi3(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (; b; b >>= 1, a <<= 1)
        if (b & 1) product += a;
    return product;
}

#endif
