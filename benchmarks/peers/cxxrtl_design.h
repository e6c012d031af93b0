// The front end in CXXRTL as plain.cpp uses it.
#include "front_end.cpp"

constexpr unsigned WORDS = 3;

class Design {
   public:
    void low() { top.p_clk.set(false), top.step(); }
    void high() { top.p_clk.set(true), top.step(); }
    void reset(bool on) { top.p_rst.set(on); }
    void write(uint32_t address, uint32_t value) {
        top.p_registers____address.set(address);
        top.p_registers____write__data.set(value);
        top.p_registers____write.set(true);
    }
    void stop_writing() { top.p_registers____write.set(false); }
    bool beat_ready() { return top.p_beat____ready.get<bool>(); }
    void beat(bool strobe, uint32_t observations) {
        top.p_beat____strobe.set(strobe);
        top.p_beat____observations.set(observations);
    }
    bool event_valid() { return top.p_cpu____event____valid.get<bool>(); }
    void event(uint32_t* words) { copy(top.p_cpu____event____payload, words); }
    void acknowledge(bool ready) { top.p_cpu____event____ready.set(ready); }
    void decide(bool valid, uint32_t decision) {
        top.p_cpu____decision____valid.set(valid);
        top.p_cpu____decision____payload.set(decision);
    }
    bool strobe() { return top.p_outcome____strobe.get<bool>(); }
    void record(uint32_t* words) { copy(top.p_outcome____record, words); }

   private:
    template <typename Port>
    static void copy(const Port& port, uint32_t* words) {
        for (unsigned i = 0; i < WORDS; ++i) words[i] = port.data[i];
    }
    cxxrtl_design::p_front__end top;
};
