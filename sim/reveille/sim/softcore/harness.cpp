// The surroundings of the cascade in one C++ object: a source of beats that waits for room, a writer
// that brings each woken beat's inputs to the mailbox, and an initiator on the register bus. The
// cascade sees all inputs a cycle late (reveille.sim.registered).
//
// core.h is generated (reveille.sim.softcore.simulation): its numbers follow the contract.

#include <cstddef>
#include <cstdint>
#include <deque>

#include "Vcascade.h"
#include "core.h"
#include "ports.h"
#include "verilated.h"

#ifdef SKIP_SCHEDULER
// All logic acts at one edge, so that Verilator's search for what is to evaluate always ends in one
// call. Its name is Verilator's own affair: see reveille.sim.rtl.build_batch_library.
#include "Vcascade___024root.h"
void Vcascade___024root___eval_nba(Vcascade___024root*);
#endif

// Mirrored by reveille.sim.softcore.simulation._Batch.
struct Batch {
    uint64_t beats;
    const uint8_t* observations;   // beats x COLUMNS
    const uint32_t* inputs;        // beats x INPUT_WORDS: residual, context
    uint32_t* sequence;
    uint8_t* cause;
    uint8_t* winner;
    uint8_t* margin;
    uint8_t* cycles;
    uint8_t* scores;               // beats x ROWS
    uint8_t* decision;             // of the beats that wake
    uint32_t* service_cycles;      // of these: from the record, or the decision before, to its own
    uint64_t patience;             // clock cycles without progress that count as a hang
};

// Mirrored by reveille.sim.softcore.simulation._Status.
enum Status : int32_t { kRunning = 0, kDone = 1, kWrongDecision = -1, kHang = -2 };

class Harness {
   public:
    Harness() : top_{&context_} {
        top_.rst = 1;
        cycle();
        top_.rst = 0;
        cycle();
    }

    ~Harness() { top_.final(); }

    void write(uint8_t address, uint32_t value) {
        top_.PORT2(registers, address) = address;
        top_.PORT2(registers, write_data) = value;
        top_.PORT2(registers, write) = 1;
        cycle();
        top_.PORT2(registers, write) = 0;
    }

    uint32_t read(uint8_t address) {
        top_.PORT2(registers, address) = address;
        cycle();
        cycle();
        return top_.PORT2(registers, read_data);
    }

    // Write the firmware, then let the CPU run.
    void start(const uint32_t* words, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            write_word(SPACE_FIRMWARE, static_cast<uint32_t>(i), words[i]);
            cycle();
        }
        top_.PORT2(memory, strobe) = 0;
        top_.run = 1;
    }

    void begin(const Batch& batch) {
        batch_ = batch;
        sent_ = recorded_ = 0;
        last_progress_ = clocks_;
    }

    // Run for at most `quota` clock cycles.
    Status advance(uint64_t quota) {
        for (const uint64_t end = clocks_ + quota; clocks_ < end;) {
            if (wrong_) return kWrongDecision;
            if (recorded_ == batch_.beats && wakeups_.empty() && top_.asleep) return kDone;
            if (clocks_ - last_progress_ > batch_.patience) return kHang;
            offer_beat();
            deliver();
            cycle();
            top_.PORT2(beat, strobe) = top_.PORT2(memory, strobe) = 0;
        }
        return kRunning;
    }

    uint64_t recorded() const { return recorded_; }
    uint64_t clocks() const { return clocks_; }
    uint64_t cpu_clocks() const { return cpu_clocks_; }

   private:
    struct Wakeup {
        uint64_t beat, recorded;
    };

    void write_word(uint32_t space, uint32_t address, uint32_t data) {
        top_.PORT2(memory, space) = space;
        top_.PORT2(memory, address) = address;
        top_.PORT2(memory, data) = data;
        top_.PORT2(memory, strobe) = 1;
    }

    void offer_beat() {
        if (sent_ == batch_.beats || !top_.PORT2(beat, ready)) return;
        // The beat of the cycle before has yet to come to the queue, which may be full with it.
        if (sent_ && clocks_ == last_sent_ + 1) return;
        last_sent_ = clocks_;
        const uint8_t* beat = batch_.observations + sent_++ * COLUMNS;
        for (unsigned column = 0; column < COLUMNS; ++column)
            set(top_.PORT2(beat, observations), {column * ADDRESS_BITS, ADDRESS_BITS}, beat[column]);
        top_.PORT2(beat, strobe) = 1;
    }

    // Bring the oldest undelivered wake-up's inputs to the next slot, a word a cycle, once the slot
    // is free; its sequence number goes last.
    void deliver() {
        if (delivered_ == wakeups_.size()) return;
        if (in_use_ == MAILBOX_SLOTS) return;
        const uint64_t beat = wakeups_[delivered_].beat;
        const uint32_t base = slot_ * SLOT_WORDS;
        if (word_ < INPUT_WORDS) {
            write_word(SPACE_MAILBOX, base + FIRST_INPUT + word_, batch_.inputs[beat * INPUT_WORDS + word_]);
            ++word_;
            return;
        }
        write_word(SPACE_MAILBOX, base + SLOT_SEQUENCE, batch_.sequence[beat]);
        word_ = 0;
        slot_ = (slot_ + 1) % MAILBOX_SLOTS;
        ++in_use_;
        ++delivered_;
    }

    void record() {
        const auto& record = top_.PORT2(outcome, record);
        const uint64_t beat = recorded_++;
        batch_.sequence[beat] = get(record, SEQUENCE);
        batch_.cause[beat] = get(record, CAUSE);
        batch_.winner[beat] = get(record, WINNER);
        batch_.margin[beat] = get(record, MARGIN);
        batch_.cycles[beat] = get(record, CYCLES);
        for (unsigned row = 0; row < ROWS; ++row)
            batch_.scores[beat * ROWS + row] =
                get(record, {SCORES.offset + row * SCORE_BITS, SCORE_BITS});
        if (batch_.cause[beat] != CAUSE_NORMAL) wakeups_.push_back({beat, clocks_});
        last_progress_ = clocks_;
    }

    // Decisions come in the order of the wake-ups, each with the number of its beat.
    void decided() {
        const auto& record = top_.PORT2(decision, record);
        if (!delivered_ || get(record, DECISION_SEQUENCE) != batch_.sequence[wakeups_.front().beat]) {
            wrong_ = true;
            return;
        }
        const Wakeup wakeup = wakeups_.front();
        const uint64_t begun = wakeup.recorded > last_decision_ ? wakeup.recorded : last_decision_;
        batch_.decision[wakeup.beat] = static_cast<uint8_t>(get(record, DECISION));
        batch_.service_cycles[wakeup.beat] = static_cast<uint32_t>(clocks_ - begun);
        wakeups_.pop_front();
        --delivered_;
        last_decision_ = last_progress_ = clocks_;
    }

    // Slots come back one at a time, in the order in which they were filled.
    void watch_mailbox() {
        if (filled_ & ~top_.filled) --in_use_;
        filled_ = top_.filled;
    }

    // All outputs are functions of the state alone, so they stand from the evaluation before. This
    // Verilog acts at both edges: an evaluation is a clock cycle.
    void cycle() {
        if (top_.PORT2(outcome, strobe)) record();
        if (top_.PORT2(decision, strobe)) decided();
        watch_mailbox();
        cpu_clocks_ += top_.clocked;
#ifdef SKIP_SCHEDULER
        if (clocks_++) {
            Vcascade___024root___eval_nba(top_.rootp);
            return;
        }
        // Every trigger is the clock's; from now on all of them stay set.
        top_.clk = !top_.clk;
        top_.eval();
        top_.rootp->__VnbaTriggered[0] = ~uint64_t{0};
#else
        ++clocks_;
        top_.clk = !top_.clk;
        top_.eval();
#endif
    }

    VerilatedContext context_;
    Vcascade top_;
    Batch batch_{};
    std::deque<Wakeup> wakeups_;  // recorded, not yet decided
    std::size_t delivered_ = 0;   // of them, from the front: in the mailbox
    uint32_t slot_ = 0, word_ = 0, in_use_ = 0, filled_ = 0;
    uint64_t sent_ = 0, last_sent_ = 0, recorded_ = 0, clocks_ = 0, cpu_clocks_ = 0, last_progress_ = 0, last_decision_ = 0;
    bool wrong_ = false;
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Harness* reveille_open() { return new Harness; }
EXPORT void reveille_close(Harness* harness) { delete harness; }
EXPORT void reveille_write(Harness* h, uint8_t address, uint32_t value) { h->write(address, value); }
EXPORT uint32_t reveille_read(Harness* h, uint8_t address) { return h->read(address); }
EXPORT void reveille_start(Harness* h, const uint32_t* words, std::size_t count) { h->start(words, count); }
EXPORT void reveille_begin(Harness* h, const Batch* batch) { h->begin(*batch); }
EXPORT int32_t reveille_advance(Harness* h, uint64_t quota) { return h->advance(quota); }
EXPORT uint64_t reveille_recorded(const Harness* h) { return h->recorded(); }
EXPORT uint64_t reveille_clocks(const Harness* h) { return h->clocks(); }
EXPORT uint64_t reveille_cpu_clocks(const Harness* h) { return h->cpu_clocks(); }
