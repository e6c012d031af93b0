// The Verilated front end as plain.cpp uses it.
#include "Vfront_end.h"
#include "verilated.h"

// Amaranth joins the names of a port's members by two underscores, which Verilator spells ___05F.
#define PORT2(a, b) a##___05F##b
#define PORT3(a, b, c) a##___05F##b##___05F##c

constexpr unsigned WORDS = 3;

class Design {
   public:
    ~Design() { top.final(); }
    void low() { top.clk = 0, top.eval(); }
    void high() { top.clk = 1, top.eval(); }
    void reset(bool on) { top.rst = on; }
    void write(uint32_t address, uint32_t value) {
        top.PORT2(registers, address) = address;
        top.PORT2(registers, write_data) = value;
        top.PORT2(registers, write) = 1;
    }
    void stop_writing() { top.PORT2(registers, write) = 0; }
    bool beat_ready() { return top.PORT2(beat, ready); }
    void beat(bool strobe, uint32_t observations) {
        top.PORT2(beat, strobe) = strobe;
        top.PORT2(beat, observations) = observations;
    }
    bool event_valid() { return top.PORT3(cpu, event, valid); }
    void event(uint32_t* words) { copy(top.PORT3(cpu, event, payload), words); }
    void acknowledge(bool ready) { top.PORT3(cpu, event, ready) = ready; }
    void decide(bool valid, uint32_t decision) {
        top.PORT3(cpu, decision, valid) = valid;
        top.PORT3(cpu, decision, payload) = decision;
    }
    bool strobe() { return top.PORT2(outcome, strobe); }
    void record(uint32_t* words) { copy(top.PORT2(outcome, record), words); }

   private:
    template <typename Port>
    static void copy(const Port& port, uint32_t* words) {
        for (unsigned i = 0; i < WORDS; ++i) words[i] = port[i];
    }
    VerilatedContext context;
    Vfront_end top{&context};
};
