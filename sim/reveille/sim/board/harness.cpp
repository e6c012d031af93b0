// The surroundings of a board in one C++ object: clock, reset, and a serial line whose other end
// speaks in bytes. Python calls it for some thousand clock cycles at a time. The board sees its
// inputs a cycle late (reveille.sim.registered), except where waves are written.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "Vboard.h"
#include "verilated.h"

#if defined(WAVES_VCD)
#include "verilated_vcd_c.h"
using Waves = VerilatedVcdC;
#define WAVES
#elif defined(WAVES_FST)
#include "verilated_fst_c.h"
using Waves = VerilatedFstC;
#define WAVES
#elif defined(SKIP_SCHEDULER)
// All logic of this board acts at one edge, so that Verilator's search for what is to evaluate
// always ends in one call. Its name is Verilator's own affair: see reveille.sim.board.simulation.
#include "Vboard___024root.h"
void Vboard___024root___eval_nba(Vboard___024root*);
#endif

namespace {

constexpr unsigned kFrameBits = 10;  // start, eight of data, stop

// Sends bytes onto a line, each bit where an exact clock of its own would put it.
class Sender {
   public:
    explicit Sender(double bit_clocks) : bit_clocks_{bit_clocks} {}

    void push(uint8_t byte) { waiting_.push_back(byte); }
    bool idle() const { return waiting_.empty() && bit_ == kFrameBits; }
    std::size_t waiting() const { return waiting_.size(); }
    bool level() const { return level_; }

    void step(uint64_t now) {
        if (now < next_) return;
        if (bit_ == kFrameBits) {
            if (waiting_.empty()) return;
            frame_ = 1u << (kFrameBits - 1) | unsigned{waiting_.front()} << 1;
            waiting_.pop_front();
            // Bytes in a row keep the time of the line, not of the clock that looks at it.
            start_ = now > next_ ? static_cast<double>(now) : end_;
            bit_ = 0;
        }
        level_ = frame_ >> bit_++ & 1;
        end_ = start_ + bit_ * bit_clocks_;
        next_ = static_cast<uint64_t>(std::llround(end_));
    }

   private:
    double bit_clocks_, start_ = 0, end_ = 0;
    std::deque<uint8_t> waiting_;
    unsigned frame_ = 0, bit_ = kFrameBits;
    uint64_t next_ = 0;
    bool level_ = true;
};

// Receives bytes from a line, each bit sampled in its middle.
class Receiver {
   public:
    explicit Receiver(double bit_clocks) : bit_clocks_{bit_clocks} {}

    bool idle() const { return bit_ == kFrameBits; }
    uint64_t framing_errors() const { return framing_errors_; }
    std::deque<uint8_t>& received() { return received_; }

    void step(uint64_t now, bool level) {
        if (bit_ == kFrameBits) {
            if (level) return;
            start_ = static_cast<double>(now);
            bit_ = 0;
            frame_ = 0;
            aim();
        }
        if (now < next_) return;
        frame_ |= unsigned{level} << bit_++;
        aim();
        if (bit_ == kFrameBits) finish();
    }

   private:
    void aim() { next_ = static_cast<uint64_t>(std::llround(start_ + (bit_ + 0.5) * bit_clocks_)); }

    void finish() {
        if (frame_ >> (kFrameBits - 1) & 1) received_.push_back(static_cast<uint8_t>(frame_ >> 1));
        else ++framing_errors_;
    }

    double bit_clocks_, start_ = 0;
    std::deque<uint8_t> received_;
    unsigned frame_ = 0, bit_ = kFrameBits;
    uint64_t next_ = 0, framing_errors_ = 0;
};

}  // namespace

class Board {
   public:
    Board(double bit_clocks, double clock_ps, const char* waves)
        : sender_{bit_clocks}, receiver_{bit_clocks}, half_ps_{clock_ps / 2}, top_{&context_} {
#ifdef WAVES
        context_.traceEverOn(true);
        waves_ = std::make_unique<Waves>();
        top_.trace(waves_.get(), 99);
        waves_->open(waves);
#else
        (void)waves;
#endif
        reset();
        // Before its reset a board may move its line: no byte has begun by that.
        receiver_ = Receiver{bit_clocks};
    }

    ~Board() {
        top_.final();
#ifdef WAVES
        waves_->close();
#endif
    }

    // Two clock cycles of reset; the line stays as it is.
    void reset() {
        top_.rst = 1;
        cycle();
        cycle();
        top_.rst = 0;
    }

    void feed(const uint8_t* bytes, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) sender_.push(bytes[i]);
    }

    std::size_t take(uint8_t* bytes, std::size_t room) {
        std::deque<uint8_t>& received = receiver_.received();
        std::size_t count = 0;
        for (; count < room && !received.empty(); ++count) {
            bytes[count] = received.front();
            received.pop_front();
        }
        return count;
    }

    void run(uint64_t clocks) {
        for (const uint64_t end = clocks_ + clocks; clocks_ < end;) cycle();
    }

    // Clock cycles since the line last carried anything.
    uint64_t quiet() const { return clocks_ - moved_; }
    uint64_t clocks() const { return clocks_; }
    std::size_t waiting() const { return sender_.waiting(); }
    uint64_t framing_errors() const { return receiver_.framing_errors(); }

    // Whether the board says that it has nothing to do; one without that light has nothing to do.
    bool asleep() const {
#ifdef HAS_ASLEEP
        return top_.asleep;
#else
        return true;
#endif
    }

   private:
    void cycle() {
        sender_.step(clocks_);
        top_.rx = sender_.level();
        evaluate();
        receiver_.step(clocks_, top_.tx);
        ++clocks_;
        if (!sender_.idle() || !receiver_.idle()) moved_ = clocks_;
    }

#ifdef WAVES
    void evaluate() {
        for (const int level : {0, 1}) {
            top_.clk = level;
            top_.eval();
            waves_->dump(static_cast<uint64_t>(std::llround(halves_++ * half_ps_)));
        }
    }
#else
    // This Verilog acts at both edges: an evaluation is a clock cycle.
    void evaluate() {
#ifdef SKIP_SCHEDULER
        if (clocks_) {
            Vboard___024root___eval_nba(top_.rootp);
            return;
        }
#endif
        top_.clk = !top_.clk;
        top_.eval();
#ifdef SKIP_SCHEDULER
        // Every trigger is the clock's; from now on all of them stay set.
        top_.rootp->__VnbaTriggered[0] = ~uint64_t{0};
#endif
    }
#endif

    VerilatedContext context_;
    Sender sender_;
    Receiver receiver_;
    double half_ps_;
    uint64_t clocks_ = 0, moved_ = 0, halves_ = 0;
#ifdef WAVES
    std::unique_ptr<Waves> waves_;
#endif
    Vboard top_;
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Board* reveille_board_open(double bit_clocks, double clock_ps, const char* waves) {
    return new Board{bit_clocks, clock_ps, waves};
}
EXPORT void reveille_board_close(Board* board) { delete board; }
EXPORT void reveille_board_reset(Board* board) { board->reset(); }
EXPORT void reveille_board_feed(Board* board, const uint8_t* bytes, std::size_t count) { board->feed(bytes, count); }
EXPORT std::size_t reveille_board_take(Board* board, uint8_t* bytes, std::size_t room) { return board->take(bytes, room); }
EXPORT void reveille_board_run(Board* board, uint64_t clocks) { board->run(clocks); }
EXPORT uint64_t reveille_board_quiet(const Board* board) { return board->quiet(); }
EXPORT uint64_t reveille_board_clocks(const Board* board) { return board->clocks(); }
EXPORT std::size_t reveille_board_waiting(const Board* board) { return board->waiting(); }
EXPORT uint64_t reveille_board_framing_errors(const Board* board) { return board->framing_errors(); }
EXPORT int32_t reveille_board_asleep(const Board* board) { return board->asleep(); }
