#include "network.h"

#include "products.h"

// Two buffers that the layers use in turn: input of one, output of the other.
static int8_t buffers[2][BUFFER_BYTES] __attribute__((aligned(4)));

// (sum * multiplier + round) >> 32 >> shift
INLINE int32_t widely_scaled(int32_t sum, struct wide_scale scale) {
    const uint64_t round = ((uint64_t)scale.round_high << 32) | scale.round_low;
    const uint64_t product = (uint64_t)((int64_t)sum * scale.multiplier);
    return (int32_t)((product + round) >> 32) >> scale.shift;
}

#ifdef MULTIPLIES

#define scaled widely_scaled

#else

// The same, for sums of 24 bits: the product's digits to the base 256 are sums of products of
// digits, which the unit adds up. Its accumulators are at 0 before and after.
INLINE int32_t scaled(int32_t sum, struct scale scale) {
    const uint32_t digits = ((uint32_t)sum + 0x808080) ^ 0x808080;
    const uint32_t factors[] = {scale.digits >> 16, scale.digits >> 8, scale.digits,
                                scale.digits << 8};
    int32_t products[ACCUMULATORS];
    accumulate(0, 1, digits, factors, ACCUMULATORS);
    UNROLL for (int i = 0; i < ACCUMULATORS; ++i) products[i] = get_sum(i);
    const int32_t low = products[0] + products[1] * 256;
    int32_t high = products[2] + products[3] * 256 + (low >> 16);
    if (scale.digits & 1) high += (int8_t)(digits >> 16) * 65536;
    return (high + scale.round) >> scale.shift;
}

#endif

INLINE int8_t clamped(int32_t value, int32_t low) {
    return (int8_t)(value < low ? low : value > INT8_MAX ? INT8_MAX : value);
}

static void clear(int8_t *bytes, int count) {
    for (; count > 0; --count) *bytes++ = 0;
}

// A layer with ReLU. A block of outputs x positions is computed together: what is loaded of the
// weights serves all its positions, and what is loaded of the signal all its outputs.
INLINE void activate(const struct layer *layer, const int8_t *in, int8_t *out, const int row,
                     const int outputs, const int positions) {
    const int8_t *weights = layer->weights;
    for (int output = 0; output < layer->outputs; output += outputs) {
        const int8_t *after = weights;
        for (int position = 0; position < layer->positions; position += positions) {
            int32_t sums[LARGEST_BLOCK];
            UNROLL for (int o = 0; o < outputs; ++o)
                UNROLL for (int p = 0; p < positions; ++p)
                    sums[o * positions + p] = layer->biases[output + o];
            after = add_products(layer, in + position * layer->stride, weights, sums, outputs,
                                 positions);
            int8_t *const to = out + position * row + output;
            UNROLL for (int o = 0; o < outputs; ++o) {
                const struct scale scale = layer->scales[output + o];
                UNROLL for (int p = 0; p < positions; ++p)
                    to[p * row + o] = clamped(scaled(sums[o * positions + p], scale), 0);
            }
        }
        weights = after;
    }
}

// The first convolution's windows, one after the other: they begin at odd addresses otherwise.
static void unfold(const volatile uint32_t *residual, int8_t *out) {
    int8_t samples[SAMPLES + 2 * FIRST_EDGE + 4] = {0};
    for (int i = 0; i < SAMPLES; i += 4) {
        const uint32_t word = *residual++;
        for (int byte = 0; byte < 4; ++byte)
            samples[FIRST_EDGE + i + byte] = (int8_t)(word >> 8 * byte);
    }
    for (int position = 0; position < SAMPLES / 2; ++position)
        for (int i = 0; i < LAYER[0].window; ++i) *out++ = samples[2 * position + i];
}

static void normalise(const volatile int32_t *context, int8_t *out) {
    for (int i = 0; i < CONTEXT_VALUES; ++i)
        out[i] = clamped(widely_scaled(context[i] - CONTEXT.centres[i], CONTEXT.scales[i]), INT8_MIN);
}

void network_logits(const volatile uint32_t *residual, const volatile int32_t *context,
                    int32_t logits[CLASSES]) {
    int8_t *in = buffers[0], *out = buffers[1];
    unfold(residual, in);
    // Unrolled, so that each layer becomes code of its own with its dimensions as constants.
    UNROLL for (int i = 0; i < CONVOLUTIONS; ++i) {
        const int row = ROW[i], edge = EDGE[i] * row, length = LAYER[i].positions * row;
        clear(out, edge);
        activate(&LAYER[i], in, out + edge, row, CONVOLUTION_GROUP, BLOCK_POSITIONS);
        clear(out + edge + length, edge);
        int8_t *const written = out;
        out = in, in = written;
    }
    normalise(context, in + HIDDEN.window - CONTEXT_VALUES);
    activate(&HIDDEN, in, out, HIDDEN.outputs, DENSE_GROUP, 1);
    const int8_t *weights = OUTPUT.weights;
    for (int output = 0; output < CLASSES; output += DENSE_GROUP) {
        for (int i = 0; i < DENSE_GROUP; ++i) logits[output + i] = OUTPUT.biases[output + i];
        weights = add_products(&OUTPUT, out, weights, &logits[output], DENSE_GROUP, 1);
    }
}

uint32_t network_decide(const volatile uint32_t *residual, const volatile int32_t *context) {
    int32_t logits[CLASSES];
    network_logits(residual, context, logits);
    uint32_t best = 0;
    for (uint32_t i = 1; i < CLASSES; ++i)
        if (logits[i] > logits[best]) best = i;
    return best;
}
