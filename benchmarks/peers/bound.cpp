// How many vector operations a second one core does: chains of AND and XOR, all in registers.
#include <cstdint>

typedef uint64_t Vector __attribute__((vector_size(VECTOR_BYTES)));

// The compiler must not do the sum in its head.
#define STEP(chain) chain = (chain & mask) ^ toggle; asm volatile("" : "+x"(chain))

extern "C" __attribute__((visibility("default"))) uint64_t vector_operations(uint64_t rounds,
                                                                             const uint64_t* seed) {
    constexpr uint64_t OPERATIONS = 8 * 2;
    const Vector mask = Vector{} + seed[0], toggle = Vector{} + seed[1];
    Vector a = mask, b = toggle, c = ~a, d = ~b, e = a ^ b, f = ~e, g = a & b, h = a | b;
    for (uint64_t round = 0; round < rounds; ++round) {
        STEP(a); STEP(b); STEP(c); STEP(d); STEP(e); STEP(f); STEP(g); STEP(h);
    }
    const Vector sum = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
    return rounds * OPERATIONS + (sum[0] == 1);
}
