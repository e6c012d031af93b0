// What compilers expect to find even without a library.

#include <stddef.h>

void *memset(void *to, int value, size_t count) {
    for (unsigned char *byte = to; count; --count) {
        *byte++ = (unsigned char)value;
        __asm__ volatile("");  // keeps the loop from becoming a call of memset
    }
    return to;
}
