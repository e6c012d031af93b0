// Steps a netlist through clock cycles and keeps the value of every net in every half cycle.
// The module around it has one input vector, one output vector and all nets on a port
// (reveille.sim.gates.simulation).

#include <cstdint>
#include <type_traits>

#include "Vgates.h"
#include "verilated.h"
#if VM_TRACE_VCD
#include "verilated_vcd_c.h"
#endif

namespace {

template <typename Port>
uint32_t word(const Port& port, unsigned index) {
    if constexpr (std::is_integral_v<Port>) return static_cast<uint32_t>(uint64_t{port} >> 32 * index);
    else return port[index];
}

template <typename Port>
unsigned words() {
    return (sizeof(Port) + 3) / 4;
}

template <typename Port>
void assign(Port& port, const uint32_t* values) {
    if constexpr (std::is_integral_v<Port>) {
        uint64_t value = values[0];
        if (sizeof(Port) == 8) value |= uint64_t{values[1]} << 32;
        port = static_cast<Port>(value);
    } else {
        for (unsigned index = 0; index < words<Port>(); ++index) port[index] = values[index];
    }
}

}  // namespace

class Gates {
   public:
    // waves: name of a VCD file, or null.
    explicit Gates(const char* waves) : top_{&context_} {
#if VM_TRACE_VCD
        if (waves) {
            context_.traceEverOn(true);
            top_.trace(&trace_, 99);
            trace_.open(waves);
        }
#endif
        top_.eval();
    }

    ~Gates() {
        top_.final();
#if VM_TRACE_VCD
        trace_.close();
#endif
    }

    // history: nets x stride words of 64 samples, zero where nothing is written yet; null where
    // nothing is to be kept.
    void cycle(const uint32_t* inputs, uint32_t* outputs, uint64_t* history, uint32_t stride, uint32_t sample) {
        top_.clk = 1;
        top_.eval();
        assign(top_.inputs, inputs);
        top_.eval();
        keep(history, stride, sample);
        top_.clk = 0;
        top_.eval();
        keep(history, stride, sample + 1);
        for (unsigned index = 0; index < words<decltype(top_.outputs)>(); ++index)
            outputs[index] = word(top_.outputs, index);
    }

   private:
    void keep(uint64_t* history, uint32_t stride, uint32_t sample) {
#if VM_TRACE_VCD
        if (trace_.isOpen()) trace_.dump(time_++);
#endif
        if (!history) return;
        const uint64_t bit = uint64_t{1} << sample % 64;
        for (unsigned index = 0; index < sizeof(top_.nets) / 4; ++index) {
            uint64_t* column = history + uint64_t{32} * index * stride + sample / 64;
            for (uint32_t bits = top_.nets[index]; bits; bits &= bits - 1)
                column[uint64_t(__builtin_ctz(bits)) * stride] |= bit;
        }
    }

    VerilatedContext context_;
    Vgates top_;
#if VM_TRACE_VCD
    VerilatedVcdC trace_;
    uint64_t time_ = 0;
#endif
};

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Gates* gates_open(const char* waves) { return new Gates{waves}; }
EXPORT void gates_close(Gates* gates) { delete gates; }
EXPORT void gates_cycle(Gates* gates, const uint32_t* inputs, uint32_t* outputs, uint64_t* history,
                        uint32_t stride, uint32_t sample) {
    gates->cycle(inputs, outputs, history, stride, sample);
}
