// The soft core's life: sleep, be woken, decide the beat, sleep again.

#include "contract.h"
#include "network.h"

// The slot of the mailbox that holds a beat, or -1 while it has not come.
static int find_slot(uint32_t sequence) {
    uint32_t filled = PERIPHERALS[PERIPHERAL_FILLED / 4];
    for (int slot = 0; filled; ++slot, filled >>= 1)
        if ((filled & 1) && MAILBOX[slot].sequence == sequence) return slot;
    return -1;
}

static void decide(int slot, uint32_t sequence) {
    const uint32_t decision = network_decide(MAILBOX[slot].residual, MAILBOX[slot].context);
    PERIPHERALS[PERIPHERAL_RELEASE / 4] = UINT32_C(1) << slot;
    PERIPHERALS[PERIPHERAL_SEQUENCE / 4] = sequence;
    PERIPHERALS[PERIPHERAL_DECISION / 4] = decision;
}

// An event whose beat is not in the mailbox yet stays in service. The watchdog may raise it again
// meanwhile; then it is acknowledged again, and nothing else changes.
int main(void) {
    uint32_t sequence = 0;
    for (int serving = 0;;) {
        if (PERIPHERALS[PERIPHERAL_SLEEP / 4]) {
            sequence = event_sequence();
            PERIPHERALS[PERIPHERAL_ACKNOWLEDGE / 4] = 1;
            serving = 1;
        }
        const int slot = serving ? find_slot(sequence) : -1;
        if (slot < 0) continue;
        decide(slot, sequence);
        serving = 0;
    }
}
