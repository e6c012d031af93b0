// The int8 network: what reveille.host.network.integer.IntegerNetwork does, bit for bit.
// It knows nothing of the hardware, so that it can be compiled for any machine.

#pragma once

#include <stdint.h>

#include "contract.h"
#include "tables.h"

// The sums of the last layer. `residual` holds 4 samples a word, the first in the lowest byte.
void network_logits(const volatile uint32_t *residual, const volatile int32_t *context,
                    int32_t logits[CLASSES]);

// The class with the largest sum, the first of those that tie.
uint32_t network_decide(const volatile uint32_t *residual, const volatile int32_t *context);
