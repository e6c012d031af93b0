// What the generated tables are made of.

#pragma once

#include <stdint.h>

// Requantisation of a channel: clamp(((sum * multiplier + round) >> 32) >> shift). Any of the
// network's multipliers and shifts can be brought to this form, if their quotient is below 1/2.
struct wide_scale {
    int32_t multiplier;
    uint32_t shift;
    uint32_t round_low;
    uint32_t round_high;
};

// Multiplier and shift of a channel, the same quotient with a shift of at least `least`.
#define SHIFT(s, least) ((s) < (least) ? (least) : (s))
#define MULTIPLIER(m, s, least) ((m) << (SHIFT(s, least) - (s)))

#define WIDE_ROUND(s) (UINT64_C(1) << (SHIFT(s, 32) - 1))
#define WIDE_SCALE(m, s) \
    {MULTIPLIER(m, s, 32), SHIFT(s, 32) - 32, WIDE_ROUND(s) & UINT32_MAX, WIDE_ROUND(s) >> 32}

#ifdef MULTIPLIES

#define scale wide_scale
#define SCALE WIDE_SCALE

#else

// The same for a CPU that does not multiply, but has the multiply-accumulate unit: three digits of
// the multiplier to the base 256, each -128 to 127, the highest in the lowest byte. Shift and round
// are for what is left of the product without its lowest 16 bits.
struct scale {
    uint32_t digits;
    uint32_t shift;
    int32_t round;
};

#define DIGIT(m) ((((m) + 128) & 255) - 128)
#define REST(m) (((m) - DIGIT(m)) / 256)
#define DIGITS(m) \
    (REST(REST(m)) | (DIGIT(REST(m)) & 255) << 8 | (DIGIT(m) & 255) << 16)
#define SCALE(m, s) \
    {DIGITS(MULTIPLIER(m, s, 17)), SHIFT(s, 17) - 16, 1 << (SHIFT(s, 17) - 17)}

#endif

// Dot products of the weights of each output with windows of the input, which lie in one piece:
// signals are stored position by position, of each all channels, filled up to a multiple of 4.
//
// Weights lie in the order of their use: outputs in groups, within a group 4 bytes of the window
// after the other, of these the outputs one after the other. What fills up has weights of 0.
struct layer {
    int positions, outputs;
    int stride;  // bytes from the window of one position to that of the next
    int window;  // bytes of a window
    const int8_t *weights;
    const int32_t *biases;
    const struct scale *scales;
};

#define CONVOLUTION_GROUP 2
#define DENSE_GROUP 4

struct normalisation {
    const int32_t *centres;
    const struct wide_scale *scales;
};
