// Many machines at once: every bit of a Vector is one machine (a lane) with beats, likelihood memory
// and records of its own. Python (reveille.sim.bitsliced.engine) calls it for whole batches.
//
// Generated: sizes.h has sizes and places of the ports' bits, cycle.h the function cycle, which takes
// all lanes through one clock cycle. Built with TOGGLES, it counts the changes of every net.

#include <cstdint>
#include <cstring>
#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace {

typedef uint64_t Vector __attribute__((vector_size(VECTOR_BYTES)));
constexpr Vector ZERO = {};
constexpr Vector ONES = ~Vector{};
constexpr unsigned GROUP = 8;  // lanes in a byte: what goes between bits and bytes at once

inline bool any(Vector v) {
#if defined(__AVX512F__) && VECTOR_BYTES == 64
    return _mm512_test_epi64_mask((__m512i)v, (__m512i)v) != 0;
#elif defined(__AVX2__) && VECTOR_BYTES == 32
    return !_mm256_testz_si256((__m256i)v, (__m256i)v);
#else
    uint64_t found = 0;
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(uint64_t); ++i) found |= v[i];
    return found != 0;
#endif
}

// A look-up table of three inputs; a is the lowest bit of its address.
#if defined(__AVX512F__) && VECTOR_BYTES == 64
template <int truth>
inline Vector ternary(Vector a, Vector b, Vector c) {
    return (Vector)_mm512_ternarylogic_epi64((__m512i)c, (__m512i)b, (__m512i)a, truth);
}
#define TABLE(truth, a, b, c, formula) ternary<truth>(a, b, c)
#else
#define TABLE(truth, a, b, c, formula) (formula)
#endif

// One byte of a record: `width` bits of the output from `bit` on go to byte `place`.
struct Field {
    unsigned bit, width, place;
};

#include "sizes.h"

#ifdef TOGGLES
// How often each net has changed from one clock cycle to the next, in the lanes that count.
struct Toggles {
    Vector lanes, before[NETS];
    uint64_t count[NETS];
};

inline void note(Toggles& toggles, unsigned net, Vector now) {
    const Vector changed = (now ^ toggles.before[net]) & toggles.lanes;
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(uint64_t); ++i)
        toggles.count[net] += __builtin_popcountll(changed[i]);
    toggles.before[net] = now;
}
#endif

#include "cycle.h"

// Byte i of the result holds bit i of each byte of x (Hacker's Delight, 2nd edition, section 7-3).
inline uint64_t transpose(uint64_t x) {
    uint64_t t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AA;
    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCC;
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0;
    return x ^ t ^ (t << 28);
}

// Eight lanes of a signal: byte i of the result is the value in lane i.
inline uint64_t gather(const Vector* bits, unsigned width, unsigned group) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(bits) + group;
    uint64_t planes = 0;
    for (unsigned bit = 0; bit < width; ++bit)
        planes |= uint64_t{bytes[bit * sizeof(Vector)]} << (8 * bit);
    return transpose(planes);
}

// The opposite, for the lanes in the mask.
inline void scatter(Vector* bits, unsigned width, unsigned group, uint64_t values, uint8_t mask) {
    uint8_t* bytes = reinterpret_cast<uint8_t*>(bits) + group;
    const uint64_t planes = transpose(values);
    for (unsigned bit = 0; bit < width; ++bit) {
        uint8_t& byte = bytes[bit * sizeof(Vector)];
        byte = (byte & ~mask) | (uint8_t(planes >> (8 * bit)) & mask);
    }
}

inline uint8_t byte_of(const Vector& v, unsigned group) {
    return reinterpret_cast<const uint8_t*>(&v)[group];
}

}  // namespace

// What a lane works on. Mirrored by reveille.sim.bitsliced.engine.
struct Lane {
    const uint8_t* likelihoods;   // rows x columns x words
    const uint8_t* observations;  // beats x columns, the next beat first
    uint8_t* records;             // beats x RECORD_BYTES, the next record first
    uint64_t beats;               // not yet taken
};

class Machines {
   public:
    Machines() {
        for (unsigned i = 0; i < STATES; ++i) state_[i] = INITIAL[i] ? ONES : ZERO;
    }

    Vector& state(unsigned index) { return state_[index]; }

    void write(uint8_t address, const uint32_t* values) {
        for (unsigned bit = 0; bit < 8; ++bit)
            input_[IN_REGISTER + bit] = (address >> bit) & 1 ? ONES : ZERO;
        for (unsigned group = 0; group < sizeof(Vector); ++group)
            for (unsigned byte = 0; byte < sizeof(uint32_t); ++byte) {
                uint64_t lanes = 0;
                for (unsigned i = 0; i < GROUP; ++i)
                    lanes |= uint64_t{(values[group * GROUP + i] >> (8 * byte)) & 0xFF} << (8 * i);
                scatter(input_ + IN_WRITE_DATA + 8 * byte, 8, group, lanes, 0xFF);
            }
        input_[IN_WRITE] = ONES;
        step();
        input_[IN_WRITE] = ZERO;
    }

    // Screen all beats; the number of clock cycles, or -1 where a lane has not shown a record for
    // `patience` cycles.
    int64_t run(Lane* lanes, uint64_t patience) {
        lanes_ = lanes;
        uint64_t missing = 0;
        for (unsigned lane = 0; lane < sizeof(Vector) * GROUP; ++lane) missing += lanes[lane].beats;
        for (unsigned group = 0; group < sizeof(Vector); ++group) offer(group);
        int64_t clocks = 0;
        for (uint64_t idle = 0; missing; ++clocks) {
            if (++idle > patience) return -1;
            step();
            if (any(output_[OUT_STROBE])) {
                missing -= record();
                idle = 0;
            }
            if (any(output_[OUT_TAKEN])) take();
            input_[IN_VALID] = output_[OUT_READ];
            if (any(output_[OUT_READ])) read();
        }
        return clocks;
    }

#ifdef TOGGLES
    // Count from here on, in the lanes given: changes against the next clock cycle.
    void count(const uint8_t* lanes) {
        std::memcpy(&counted_, lanes, sizeof(Vector));
        std::memset(&toggles_, 0, sizeof(toggles_));
    }

    const uint64_t* counts() const { return toggles_.count; }
#endif

   private:
    void step() {
#ifdef TOGGLES
        cycle(state_, input_, output_, toggles_);
        toggles_.lanes = counted_;
#else
        cycle(state_, input_, output_);
#endif
    }

    // Show the next beat of each lane of a group.
    void offer(unsigned group) {
        const Lane* lanes = lanes_ + group * GROUP;
        uint8_t there = 0;
        for (unsigned i = 0; i < GROUP; ++i) there |= (lanes[i].beats != 0) << i;
        for (unsigned column = 0; column < COLUMNS; ++column) {
            uint64_t values = 0;
            for (unsigned i = 0; i < GROUP; ++i)
                if (there >> i & 1) values |= uint64_t{lanes[i].observations[column]} << (8 * i);
            Vector* bits = input_ + IN_OBSERVATIONS + column * ADDRESS_BITS;
            scatter(bits, ADDRESS_BITS, group, values, 0xFF);
        }
        reinterpret_cast<uint8_t*>(input_ + IN_OFFER)[group] = there;
    }

    void take() {
        for (unsigned group = 0; group < sizeof(Vector); ++group) {
            const uint8_t taken = byte_of(output_[OUT_TAKEN], group);
            if (!taken) continue;
            for (unsigned i = 0; i < GROUP; ++i) {
                Lane& lane = lanes_[group * GROUP + i];
                lane.beats -= taken >> i & 1;
                lane.observations += (taken >> i & 1) * COLUMNS;
            }
            offer(group);
        }
    }

    // Answer a read of the array: every row of a column gives the word at the column's address.
    void read() {
        for (unsigned group = 0; group < sizeof(Vector); ++group) {
            const uint8_t reading = byte_of(output_[OUT_READ], group);
            if (!reading) continue;
            for (unsigned column = 0; column < COLUMNS; ++column) {
                const Vector* bits = output_ + OUT_ADDRESS + column * ADDRESS_BITS;
                const uint64_t addresses = gather(bits, ADDRESS_BITS, group);
                for (unsigned row = 0; row < ROWS; ++row) {
                    const unsigned cell = row * COLUMNS + column;
                    uint64_t words = 0;
                    for (unsigned i = 0; i < GROUP; ++i) {
                        const unsigned word = (cell << ADDRESS_BITS) + (addresses >> (8 * i) & 0xFF);
                        words |= uint64_t{lanes_[group * GROUP + i].likelihoods[word]} << (8 * i);
                    }
                    scatter(input_ + IN_WORDS + cell * WORD_BITS, WORD_BITS, group, words, reading);
                }
            }
        }
    }

    // Keep the records of this cycle; how many there are.
    unsigned record() {
        unsigned count = 0;
        for (unsigned group = 0; group < sizeof(Vector); ++group) {
            const uint8_t strobe = byte_of(output_[OUT_STROBE], group);
            if (!strobe) continue;
            uint8_t records[GROUP][RECORD_BYTES] = {};
            for (const Field& field : FIELDS) {
                const uint64_t values = gather(output_ + field.bit, field.width, group);
                for (unsigned i = 0; i < GROUP; ++i) records[i][field.place] = values >> (8 * i);
            }
            for (unsigned i = 0; i < GROUP; ++i) {
                if (!(strobe >> i & 1)) continue;
                Lane& lane = lanes_[group * GROUP + i];
                std::memcpy(lane.records, records[i], RECORD_BYTES);
                lane.records += RECORD_BYTES;
                ++count;
            }
        }
        return count;
    }

    Vector state_[STATES], input_[INPUTS] = {}, output_[OUTPUTS] = {};
    Lane* lanes_ = nullptr;
#ifdef TOGGLES
    Toggles toggles_ = {};
    Vector counted_ = ZERO;
#endif
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Machines* bitsliced_open() { return new Machines; }
EXPORT void bitsliced_close(Machines* machines) { delete machines; }
EXPORT void bitsliced_write(Machines* machines, uint8_t address, const uint32_t* values) {
    machines->write(address, values);
}
EXPORT void bitsliced_set(Machines* machines, unsigned index, const uint8_t* lanes) {
    std::memcpy(&machines->state(index), lanes, sizeof(Vector));
}
EXPORT void bitsliced_get(Machines* machines, unsigned index, uint8_t* lanes) {
    std::memcpy(lanes, &machines->state(index), sizeof(Vector));
}
EXPORT int64_t bitsliced_run(Machines* machines, Lane* lanes, uint64_t patience) {
    return machines->run(lanes, patience);
}
#ifdef TOGGLES
EXPORT void bitsliced_count(Machines* machines, const uint8_t* lanes) { machines->count(lanes); }
EXPORT void bitsliced_counts(Machines* machines, uint64_t* counts) {
    std::memcpy(counts, machines->counts(), NETS * sizeof(uint64_t));
}
#endif
