// What the generated tables are made of.

#pragma once

#include <stdint.h>

// Requantisation of a channel: clamp(((sum * multiplier + round) >> 32) >> shift). Any of the
// network's multipliers and shifts can be brought to this form, if their quotient is below 1/2.
struct scale {
    int32_t multiplier;
    uint32_t shift;
    uint32_t round_low;
    uint32_t round_high;
};

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
    const struct scale *scales;
};
