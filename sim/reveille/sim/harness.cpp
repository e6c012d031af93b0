// The surroundings of the front end in one C++ object: a source of beats that waits for room, a CPU
// that takes events and writes decisions back, and an initiator on the register bus. Python calls
// it for many clock cycles at a time. The front end sees all inputs a cycle late
// (reveille.sim.registered).
//
// layout.h is generated (reveille.sim.rtl): the fields' places follow the contract in Python.

#include <cstdint>
#include <deque>
#include <type_traits>

#include "Vfront_end.h"
#include "layout.h"
#include "ports.h"
#include "verilated.h"

#ifdef SKIP_SCHEDULER
// All logic of this front end acts at one edge, so that Verilator's search for what is to evaluate
// always ends in one call. Its name is Verilator's own affair: see reveille.sim.rtl.build_library.
#include "Vfront_end___024root.h"
void Vfront_end___024root___eval_nba(Vfront_end___024root*);
constexpr bool kSkipsScheduler = true;
#else
constexpr bool kSkipsScheduler = false;
#endif

// Mirrored by reveille.sim.rtl._Batch.
struct Batch {
    uint64_t beats;
    const uint8_t* observations;  // beats x COLUMNS
    const uint8_t* decisions;     // one a beat; null: the winner
    uint32_t* sequence;
    uint8_t* cause;
    uint8_t* winner;
    uint8_t* margin;
    uint8_t* cycles;
    uint8_t* scores;          // beats x ROWS
    uint32_t service_cycles;  // from acknowledge to decision, at least 1
    uint32_t patience;        // clock cycles without progress that count as a hang
    uint32_t interactive;     // the caller answers each event before the next beat goes in
};

// Mirrored by reveille.sim.rtl._Status.
enum Status : int32_t { kRunning = 0, kDone = 1, kEvent = 2, kWrongEvent = -1, kHang = -2 };

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

    void begin(const Batch& batch) {
        batch_ = batch;
        sent_ = recorded_ = 0;
        last_progress_ = clocks_;
    }

    void answer(uint8_t decision) {
        decision_ = decision;
        answered_ = true;
    }

    // Run for at most `quota` clock cycles.
    Status advance(uint64_t quota) {
        for (const uint64_t end = clocks_ + quota; clocks_ < end;) {
            if (recorded_ == batch_.beats && top_.PORT2(cpu, asleep))
                return wakeups_.empty() ? kDone : kWrongEvent;
            if (clocks_ - last_progress_ > batch_.patience && !awaits_answer()) return kHang;
            offer_beat();
            if (!serve()) return kWrongEvent;
            const bool acknowledged = top_.PORT3(cpu, event, ready);
            cycle();
            top_.PORT2(beat, strobe) = top_.PORT3(cpu, event, ready) = top_.PORT3(cpu, decision, valid) = 0;
            if (acknowledged && batch_.interactive) return kEvent;
        }
        return kRunning;
    }

    uint64_t recorded() const { return recorded_; }
    uint64_t clocks() const { return clocks_; }

   private:
    using Record = std::decay_t<decltype(Vfront_end::PORT2(outcome, record))>;
    struct Wakeup {
        uint64_t beat;
        Record record;
    };

    bool awaits_answer() const { return serving_ && batch_.interactive && !answered_; }

    void offer_beat() {
        const bool turn = !batch_.interactive || (sent_ == recorded_ && top_.PORT2(cpu, asleep));
        if (sent_ == batch_.beats || !turn || !top_.PORT2(beat, ready)) return;
        // The beat of the cycle before has yet to come to the queue, which may be full with it.
        if (sent_ && clocks_ == last_sent_ + 1) return;
        last_sent_ = clocks_;
        const uint8_t* beat = batch_.observations + sent_++ * COLUMNS;
        for (unsigned column = 0; column < COLUMNS; ++column)
            set(top_.PORT2(beat, observations), {column * ADDRESS_BITS, ADDRESS_BITS}, beat[column]);
        top_.PORT2(beat, strobe) = 1;
    }

    // Act as the CPU in this cycle; false where an event is not the oldest wake-up recorded.
    bool serve() {
        if (serving_) {
            const bool due = clocks_ - acknowledged_ >= batch_.service_cycles;
            if (due && !awaits_answer()) decide();
            return true;
        }
        if (!top_.PORT3(cpu, event, valid)) return true;
        if (!top_.PORT2(cpu, interrupt) || wakeups_.empty()) return false;
        if (top_.PORT3(cpu, event, payload) != wakeups_.front().record) return false;
        top_.PORT3(cpu, event, ready) = 1;
        serving_ = true;
        answered_ = false;
        acknowledged_ = clocks_;
        return true;
    }

    void decide() {
        const Wakeup& wakeup = wakeups_.front();
        uint8_t decision = get(wakeup.record, WINNER);
        if (batch_.interactive) decision = decision_;
        else if (batch_.decisions) decision = batch_.decisions[wakeup.beat];
        set(top_.PORT3(cpu, decision, payload), DECISION_SEQUENCE, get(wakeup.record, SEQUENCE));
        set(top_.PORT3(cpu, decision, payload), DECISION, decision);
        top_.PORT3(cpu, decision, valid) = 1;
        wakeups_.pop_front();
        serving_ = false;
        last_progress_ = clocks_;
    }

    void record() {
        const Record& record = top_.PORT2(outcome, record);
        const uint64_t beat = recorded_++;
        batch_.sequence[beat] = get(record, SEQUENCE);
        batch_.cause[beat] = get(record, CAUSE);
        batch_.winner[beat] = get(record, WINNER);
        batch_.margin[beat] = get(record, MARGIN);
        batch_.cycles[beat] = get(record, CYCLES);
        for (unsigned row = 0; row < ROWS; ++row)
            batch_.scores[beat * ROWS + row] =
                get(record, {SCORES.offset + row * SCORE_BITS, SCORE_BITS});
        if (batch_.cause[beat] != CAUSE_NORMAL) wakeups_.push_back({beat, record});
        last_progress_ = clocks_;
    }

    // All outputs of the front end are functions of its state alone, so they stand from the
    // evaluation before. This Verilog acts at both edges: an evaluation is a clock cycle.
    void cycle() {
        if (top_.PORT2(outcome, strobe)) record();
        if (!clocks_++ || !kSkipsScheduler) {
            top_.clk = !top_.clk;
            top_.eval();
            trigger();
        } else {
            act();
        }
    }

    // Every trigger is the clock's; from now on all of them stay set.
    void trigger() {
#ifdef SKIP_SCHEDULER
        top_.rootp->__VnbaTriggered[0] = ~uint64_t{0};
#endif
    }

    void act() {
#ifdef SKIP_SCHEDULER
        Vfront_end___024root___eval_nba(top_.rootp);
#endif
    }

    VerilatedContext context_;
    Vfront_end top_;
    Batch batch_{};
    std::deque<Wakeup> wakeups_;  // recorded, not yet decided; the first may be in service
    uint64_t sent_ = 0, last_sent_ = 0, recorded_ = 0, clocks_ = 0, last_progress_ = 0, acknowledged_ = 0;
    bool serving_ = false, answered_ = false;
    uint8_t decision_ = 0;
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Harness* reveille_open() { return new Harness; }
EXPORT void reveille_close(Harness* harness) { delete harness; }
EXPORT void reveille_write(Harness* h, uint8_t address, uint32_t value) { h->write(address, value); }
EXPORT uint32_t reveille_read(Harness* h, uint8_t address) { return h->read(address); }
EXPORT void reveille_begin(Harness* h, const Batch* batch) { h->begin(*batch); }
EXPORT void reveille_answer(Harness* h, uint8_t decision) { h->answer(decision); }
EXPORT int32_t reveille_advance(Harness* h, uint64_t quota) { return h->advance(quota); }
EXPORT uint64_t reveille_recorded(const Harness* h) { return h->recorded(); }
EXPORT uint64_t reveille_clocks(const Harness* h) { return h->clocks(); }
