#include "network.h"

#define POSITIONS 4  // of a row that are computed together

// Keeps the compiler from loading ahead so much that the registers do not suffice.
#define BARRIER __asm__ volatile("" ::: "memory")
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

// Two buffers that the layers use in turn: input of one, output of the other.
static int8_t buffers[2][BUFFER_BYTES] __attribute__((aligned(4)));

// (sum * multiplier + round) >> 32 >> shift
INLINE int32_t scaled(int32_t sum, struct scale scale) {
    const uint64_t round = ((uint64_t)scale.round_high << 32) | scale.round_low;
    const uint64_t product = (uint64_t)((int64_t)sum * scale.multiplier);
    return (int32_t)((product + round) >> 32) >> scale.shift;
}

INLINE int8_t clamped(int32_t value, int32_t low) {
    return (int8_t)(value < low ? low : value > INT8_MAX ? INT8_MAX : value);
}

typedef int32_t sums_t[CONVOLUTION_GROUP][POSITIONS];

// Add the products of the taps `first`, `first` + 2, ... of one input. From one to the next, the
// samples move on by one position, so that one new sample a tap will do. `weight` runs on.
INLINE const int8_t *add_taps(sums_t sums, const int8_t *samples, const int8_t *weight,
                              const int first, const int kernel) {
    int32_t window[POSITIONS];
    UNROLL for (int p = 0; p < POSITIONS; ++p) window[p] = samples[first + 2 * p];
    UNROLL for (int tap = first; tap < kernel; tap += 2) {
        if (tap != first) {
            UNROLL for (int p = 1; p < POSITIONS; ++p) window[p - 1] = window[p];
            window[POSITIONS - 1] = samples[tap + 2 * (POSITIONS - 1)];
        }
        UNROLL for (int o = 0; o < CONVOLUTION_GROUP; ++o, ++weight)
            UNROLL for (int p = 0; p < POSITIONS; ++p) sums[o][p] += *weight * window[p];
        BARRIER;
    }
    return weight;
}

// The sums of a group of outputs at some positions are kept in registers: each weight that is loaded
// serves all positions, each sample all outputs.
INLINE void convolve(const struct convolution *layer, const int8_t *in, int8_t *out, int out_row) {
    const int kernel = layer->kernel, in_row = layer->length + kernel / 2 * 2;
    const int8_t *weights = layer->weights;
    for (int output = 0; output < layer->outputs; output += CONVOLUTION_GROUP) {
        const int8_t *weight = weights;
        for (int position = 0; position < layer->length / 2; position += POSITIONS) {
            sums_t sums;
            UNROLL for (int o = 0; o < CONVOLUTION_GROUP; ++o)
                UNROLL for (int p = 0; p < POSITIONS; ++p) sums[o][p] = layer->biases[output + o];
            const int8_t *samples = in + 2 * position;
            weight = weights;
            for (int input = layer->inputs; input; --input, samples += in_row) {
                weight = add_taps(sums, samples, weight, 0, kernel);
                weight = add_taps(sums, samples, weight, 1, kernel);
            }
            UNROLL for (int o = 0; o < CONVOLUTION_GROUP; ++o) {
                const struct scale scale = layer->scales[output + o];
                UNROLL for (int p = 0; p < POSITIONS; ++p)
                    out[o * out_row + position + p] = clamped(scaled(sums[o][p], scale), 0);
            }
        }
        weights = weight;
        out += CONVOLUTION_GROUP * out_row;
    }
}

// Sums of DENSE_GROUP outputs; `weights` runs on.
INLINE const int8_t *add_up(const struct dense *layer, const int8_t *weights, const int8_t *in,
                            int output, int32_t sums[DENSE_GROUP]) {
    UNROLL for (int o = 0; o < DENSE_GROUP; ++o) sums[o] = layer->biases[output + o];
    for (const int8_t *end = in + layer->inputs; in < end; ++in, weights += DENSE_GROUP)
        UNROLL for (int o = 0; o < DENSE_GROUP; ++o) sums[o] += weights[o] * *in;
    return weights;
}

static void activate(const struct dense *layer, const int8_t *in, int8_t *out) {
    const int8_t *weights = layer->weights;
    for (int output = 0; output < layer->outputs; output += DENSE_GROUP) {
        int32_t sums[DENSE_GROUP];
        weights = add_up(layer, weights, in, output, sums);
        for (int i = 0; i < DENSE_GROUP; ++i)
            out[output + i] = clamped(scaled(sums[i], layer->scales[output + i]), 0);
    }
}

static void clear_edges(int8_t *rows, int count, int length, int edge) {
    for (; count; --count, rows += length + 2 * edge)
        for (int i = 0; i < edge; ++i) rows[i] = rows[edge + length + i] = 0;
}

static void unpack(const volatile uint32_t *residual, int8_t *samples) {
    for (int i = 0; i < SAMPLES; i += 4, ++residual) {
        const uint32_t word = *residual;
        for (int byte = 0; byte < 4; ++byte) samples[i + byte] = (int8_t)(word >> 8 * byte);
    }
}

static void normalise(const volatile int32_t *context, int8_t *out) {
    for (int i = 0; i < CONTEXT_VALUES; ++i)
        out[i] = clamped(scaled(context[i] - CONTEXT.centres[i], CONTEXT.scales[i]), INT8_MIN);
}

void network_logits(const volatile uint32_t *residual, const volatile int32_t *context,
                    int32_t logits[CLASSES]) {
    int8_t *in = buffers[0], *out = buffers[1];
    clear_edges(in, 1, SAMPLES, CONVOLUTION[0].kernel / 2);
    unpack(residual, in + CONVOLUTION[0].kernel / 2);
    // Unrolled, so that each layer becomes code of its own with its dimensions as constants.
    UNROLL for (int i = 0; i < CONVOLUTIONS; ++i) {
        const int length = CONVOLUTION[i].length / 2;
        const int edge = i + 1 < CONVOLUTIONS ? CONVOLUTION[i + 1].kernel / 2 : 0;
        convolve(&CONVOLUTION[i], in, out + edge, length + 2 * edge);
        clear_edges(out, CONVOLUTION[i].outputs, length, edge);
        int8_t *const written = out;
        out = in, in = written;
    }
    normalise(context, in + HIDDEN.inputs - CONTEXT_VALUES);
    activate(&HIDDEN, in, out);
    const int8_t *weights = OUTPUT.weights;
    for (int output = 0; output < CLASSES; output += DENSE_GROUP)
        weights = add_up(&OUTPUT, weights, out, output, &logits[output]);
}

uint32_t network_decide(const volatile uint32_t *residual, const volatile int32_t *context) {
    int32_t logits[CLASSES];
    network_logits(residual, context, logits);
    uint32_t best = 0;
    for (uint32_t i = 1; i < CLASSES; ++i)
        if (logits[i] > logits[best]) best = i;
    return best;
}
