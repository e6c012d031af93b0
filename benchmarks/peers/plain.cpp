// A straightforward test bench in C++: one front end, two evaluations a clock cycle, every port set
// and read by name. What a careful engineer writes first; the engines of Reveille are compared
// with it.
//
// design.h wraps the simulator's class; layout.h is generated (reveille.sim.rtl).

#include <cstdint>

#include "layout.h"

#include "design.h"

namespace {

uint32_t bits(const uint32_t* words, Field field) {
    uint64_t pair = words[field.offset / 32];
    if (field.offset % 32 + field.width > 32) pair |= uint64_t{words[field.offset / 32 + 1]} << 32;
    return (pair >> field.offset % 32) & ((uint64_t{1} << field.width) - 1);
}

void keep(const uint32_t* record, uint8_t* kept) {
    const uint32_t sequence = bits(record, SEQUENCE);
    for (int byte = 0; byte < 4; ++byte) *kept++ = sequence >> (8 * byte);
    *kept++ = bits(record, CAUSE);
    *kept++ = bits(record, WINNER);
    *kept++ = bits(record, MARGIN);
    *kept++ = bits(record, CYCLES);
    for (unsigned row = 0; row < ROWS; ++row)
        *kept++ = bits(record, {SCORES.offset + row * SCORE_BITS, SCORE_BITS});
}

}  // namespace

// Program a front end with `writes` (pairs of address and value), screen all beats, keep the records.
extern "C" __attribute__((visibility("default"))) void peer_run(
    const uint32_t* writes, uint64_t count, const uint8_t* observations, uint64_t beats,
    uint8_t* records) {
    Design design;
    design.reset(true);
    design.low();
    design.high();
    design.reset(false);
    for (uint64_t i = 0; i < count; ++i) {
        design.write(writes[2 * i], writes[2 * i + 1]);
        design.low();
        design.high();
    }
    design.stop_writing();
    uint64_t sent = 0, recorded = 0;
    bool decides = false;
    uint32_t event[WORDS] = {};
    while (recorded < beats) {
        design.low();
        if (design.strobe()) {
            uint32_t record[WORDS];
            design.record(record);
            keep(record, records + recorded++ * (8 + ROWS));
        }
        const bool strobe = sent < beats && design.beat_ready();
        uint32_t beat = 0;
        if (strobe) {
            const uint8_t* values = observations + COLUMNS * sent++;
            for (unsigned c = 0; c < COLUMNS; ++c) beat |= uint32_t{values[c]} << c * ADDRESS_BITS;
        }
        design.beat(strobe, beat);
        const uint32_t decision = bits(event, SEQUENCE) << DECISION_SEQUENCE.offset |
                                  bits(event, WINNER) << DECISION.offset;
        design.decide(decides, decision);
        decides = design.event_valid();
        if (decides) design.event(event);
        design.acknowledge(decides);
        design.high();
    }
}
