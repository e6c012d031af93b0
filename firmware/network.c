#include "network.h"

#define POSITIONS_AT_ONCE 4
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

// Two buffers that the layers use in turn: input of one, output of the other.
static int8_t buffers[2][BUFFER_BYTES] __attribute__((aligned(4)));

// (sum * multiplier + round) >> 32 >> shift
INLINE int32_t scaled(int32_t sum, const struct scale *scale) {
    const uint64_t round = ((uint64_t)scale->round_high << 32) | scale->round_low;
    const uint64_t product = (uint64_t)((int64_t)sum * scale->multiplier);
    return (int32_t)((product + round) >> 32) >> scale->shift;
}

INLINE int8_t clamped(int32_t value, int32_t low) {
    return (int8_t)(value < low ? low : value > INT8_MAX ? INT8_MAX : value);
}

// OUTPUTS_AT_ONCE x POSITIONS_AT_ONCE sums are kept in registers: each weight that is loaded serves
// all positions, each sample both outputs.
INLINE void convolve(const struct convolution *layer, const int8_t *in, int8_t *out, int out_row,
                     const int kernel) {
    const int in_row = layer->length + kernel / 2 * 2;
    const int8_t *weights = layer->weights;
    for (int output = 0; output < layer->outputs; output += OUTPUTS_AT_ONCE) {
        const int32_t bias0 = layer->biases[output], bias1 = layer->biases[output + 1];
        const struct scale *scales = layer->scales + output;
        const int8_t *weight = weights;
        for (int position = 0; position < layer->length / 2; position += POSITIONS_AT_ONCE) {
            int32_t sums0[POSITIONS_AT_ONCE], sums1[POSITIONS_AT_ONCE];
            for (int i = 0; i < POSITIONS_AT_ONCE; ++i) sums0[i] = bias0, sums1[i] = bias1;
            const int8_t *samples = in + 2 * position;
            weight = weights;
            for (int input = layer->inputs; input; --input, samples += in_row)
                UNROLL for (int tap = 0; tap < kernel; ++tap, weight += OUTPUTS_AT_ONCE)
                    UNROLL for (int i = 0; i < POSITIONS_AT_ONCE; ++i) {
                        const int32_t sample = samples[tap + 2 * i];
                        sums0[i] += weight[0] * sample;
                        sums1[i] += weight[1] * sample;
                    }
            for (int i = 0; i < POSITIONS_AT_ONCE; ++i) {
                out[position + i] = clamped(scaled(sums0[i], &scales[0]), 0);
                out[out_row + position + i] = clamped(scaled(sums1[i], &scales[1]), 0);
            }
        }
        weights = weight;
        out += OUTPUTS_AT_ONCE * out_row;
    }
}

// Kernels are small odd numbers; each gets code of its own.
static void convolve_any(const struct convolution *layer, const int8_t *in, int8_t *out, int out_row) {
    switch (layer->kernel) {
        case 3: convolve(layer, in, out, out_row, 3); break;
        case 5: convolve(layer, in, out, out_row, 5); break;
        case 7: convolve(layer, in, out, out_row, 7); break;
    }
}

// Sums of OUTPUTS_AT_ONCE outputs; `weights` runs on.
INLINE const int8_t *add_up(const struct dense *layer, const int8_t *weights, const int8_t *in,
                            int output, int32_t sums[OUTPUTS_AT_ONCE]) {
    int32_t sum0 = layer->biases[output], sum1 = layer->biases[output + 1];
    for (const int8_t *end = in + layer->inputs; in < end; ++in, weights += OUTPUTS_AT_ONCE) {
        sum0 += weights[0] * *in;
        sum1 += weights[1] * *in;
    }
    sums[0] = sum0, sums[1] = sum1;
    return weights;
}

static void activate(const struct dense *layer, const int8_t *in, int8_t *out) {
    const int8_t *weights = layer->weights;
    for (int output = 0; output < layer->outputs; output += OUTPUTS_AT_ONCE) {
        int32_t sums[OUTPUTS_AT_ONCE];
        weights = add_up(layer, weights, in, output, sums);
        for (int i = 0; i < OUTPUTS_AT_ONCE; ++i)
            out[output + i] = clamped(scaled(sums[i], &layer->scales[output + i]), 0);
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
        out[i] = clamped(scaled(context[i] - CONTEXT.centres[i], &CONTEXT.scales[i]), INT8_MIN);
}

void network_logits(const volatile uint32_t *residual, const volatile int32_t *context,
                    int32_t logits[CLASSES]) {
    int8_t *in = buffers[0], *out = buffers[1];
    clear_edges(in, 1, SAMPLES, CONVOLUTION[0].kernel / 2);
    unpack(residual, in + CONVOLUTION[0].kernel / 2);
    for (int i = 0; i < CONVOLUTIONS; ++i) {
        const int length = CONVOLUTION[i].length / 2;
        const int edge = i + 1 < CONVOLUTIONS ? CONVOLUTION[i + 1].kernel / 2 : 0;
        convolve_any(&CONVOLUTION[i], in, out + edge, length + 2 * edge);
        clear_edges(out, CONVOLUTION[i].outputs, length, edge);
        int8_t *const written = out;
        out = in, in = written;
    }
    normalise(context, in + HIDDEN.inputs - CONTEXT_VALUES);
    activate(&HIDDEN, in, out);
    const int8_t *weights = OUTPUT.weights;
    for (int output = 0; output < CLASSES; output += OUTPUTS_AT_ONCE)
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
