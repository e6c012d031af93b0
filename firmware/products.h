// Dot products of int8, with the multiply-accumulate unit where the core has one.

#pragma once

#include <stdint.h>

#include "contract.h"
#include "layers.h"

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define SOME _Pragma("clang loop unroll_count(5)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define SOME _Pragma("GCC unroll 4")
#endif

// INLINE const int8_t *add_products(layer, in, weights, sums, outputs, positions):
// add to `sums` the products of `outputs` x `positions` of a layer, and return where its next
// weights are. `outputs` and `positions` are constants.

#define LARGEST_BLOCK 8

#if defined(MAC_CUSTOM) || defined(MAC_MAPPED)

#define BLOCK_POSITIONS 2

typedef uint32_t word_t __attribute__((may_alias));

#ifdef MAC_CUSTOM

// The unit's instruction; the accumulator must be a constant once the loops are unrolled.
#define MAC(operation, accumulator, a, b, result) \
    __asm__ volatile(".insn r 0x0b, %3, %4, %0, %1, %2" \
                     : "=r"(result) \
                     : "r"(a), "r"(b), "i"(operation), "i"(accumulator))

INLINE uint32_t mac(const int operation, const int accumulator, uint32_t a, uint32_t b) {
    uint32_t result = 0;
    switch (accumulator) {
        case 0: MAC(operation, 0, a, b, result); break;
        case 1: MAC(operation, 1, a, b, result); break;
        case 2: MAC(operation, 2, a, b, result); break;
        case 3: MAC(operation, 3, a, b, result); break;
    }
    return result;
}

INLINE void set_sum(const int accumulator, int32_t value) {
    mac(MAC_EXCHANGE, accumulator, (uint32_t)value, 0);
}

INLINE int32_t get_sum(const int accumulator) { return (int32_t)mac(MAC_EXCHANGE, accumulator, 0, 0); }

// To the sums of each output at a position: the products of its samples and the outputs' weights.
INLINE void accumulate(const int first, const int step, uint32_t samples, const uint32_t *factors,
                       const int outputs) {
    UNROLL for (int o = 0; o < outputs; ++o) mac(MAC_ACCUMULATE, first + o * step, samples, factors[o]);
}

#else

INLINE void set_sum(const int accumulator, int32_t value) {
    PERIPHERALS[PERIPHERAL_MAC_SUM / 4 + accumulator] = (uint32_t)value;
}

INLINE int32_t get_sum(const int accumulator) {
    return (int32_t)PERIPHERALS[PERIPHERAL_MAC_SUM / 4 + accumulator];
}

INLINE void accumulate(const int first, const int step, uint32_t samples, const uint32_t *factors,
                       const int outputs) {
    PERIPHERALS[PERIPHERAL_MAC_OPERAND / 4] = samples;
    UNROLL for (int o = 0; o < outputs; ++o)
        PERIPHERALS[PERIPHERAL_MAC_ACCUMULATE / 4 + first + o * step] = factors[o];
}

#endif

INLINE const int8_t *add_products(const struct layer *layer, const int8_t *in, const int8_t *weights,
                                  int32_t *sums, const int outputs, const int positions) {
    const int block = outputs * positions;
    UNROLL for (int i = 0; i < block; ++i) set_sum(i, sums[i]);
    SOME for (int word = 0; word < layer->window; word += 4, weights += 4 * outputs) {
        // All loads first: an instruction of the unit waits for those before it.
        uint32_t samples[ACCUMULATORS], factors[ACCUMULATORS];
        UNROLL for (int p = 0; p < positions; ++p)
            samples[p] = *(const volatile word_t *)(in + word + p * layer->stride);
        UNROLL for (int o = 0; o < outputs; ++o)
            factors[o] = *(const volatile word_t *)(weights + 4 * o);
        UNROLL for (int p = 0; p < positions; ++p)
            accumulate(p, positions, samples[p], factors, outputs);
    }
    UNROLL for (int i = 0; i < block; ++i) sums[i] = get_sum(i);
    return weights;
}

#else

#define BLOCK_POSITIONS 4

// Keeps the compiler from loading ahead so much that the registers do not suffice.
#define BARRIER __asm__ volatile("" ::: "memory")

INLINE const int8_t *add_products(const struct layer *layer, const int8_t *in, const int8_t *weights,
                                  int32_t *sums, const int outputs, const int positions) {
    for (const int8_t *end = in + layer->window; in < end; in += 4, weights += 4 * outputs)
        UNROLL for (int byte = 0; byte < 4; ++byte) {
            UNROLL for (int o = 0; o < outputs; ++o) {
                const int32_t weight = weights[4 * o + byte];
                UNROLL for (int p = 0; p < positions; ++p)
                    sums[o * positions + p] += weight * in[p * layer->stride + byte];
            }
            BARRIER;
        }
    return weights;
}

#endif
