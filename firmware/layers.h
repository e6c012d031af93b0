// What the generated tables are made of.

#pragma once

#include <stdint.h>

// Requantisation of a channel: clamp(((sum * multiplier + round) >> 32) >> shift). Any of the
// network's multipliers and shifts of 17 and more can be brought to this form.
struct scale {
    int32_t multiplier;
    uint32_t shift;
    uint32_t round_low;
    uint32_t round_high;
};

// Weights lie in the order in which they are used, in groups of outputs that are computed together:
// within a group input by input, of these (in a convolution) taps 0, 2, 4 ..., then 1, 3 ..., and of
// each the outputs one after the other. Outputs that fill up the last group have weights of 0.
#define CONVOLUTION_GROUP 2
#define DENSE_GROUP 4

// A convolution of stride 2 over `inputs` rows of `length` samples, each between `kernel / 2` zeros.
struct convolution {
    int inputs, outputs, length, kernel;
    const int8_t *weights;
    const int32_t *biases;
    const struct scale *scales;
};

struct dense {
    int inputs, outputs;
    const int8_t *weights;
    const int32_t *biases;
    const struct scale *scales;
};

struct normalisation {
    const int32_t *centres;
    const struct scale *scales;
};
