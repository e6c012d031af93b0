// How many vector operations a second one core does: twelve chains of AND and XOR in registers.
#include <cstdint>

typedef uint64_t Vector __attribute__((vector_size(VECTOR_BYTES)));

extern "C" __attribute__((visibility("default"))) uint64_t vector_operations(uint64_t rounds,
                                                                             const uint64_t* seed) {
    constexpr int CHAINS = 6, OPERATIONS = 2;
    Vector chains[CHAINS], mask = Vector{} + seed[0], toggle = Vector{} + seed[1];
    for (int i = 0; i < CHAINS; ++i) chains[i] = Vector{} + seed[0] * (i + 1);
    for (uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 8
        for (int i = 0; i < CHAINS; ++i) {
            chains[i] = (chains[i] & mask) ^ toggle;
            asm volatile("" : "+x"(chains[i]));  // or the compiler would do the sum in its head
        }
    }
    Vector sum{};
    for (const Vector& chain : chains) sum ^= chain;
    return rounds * CHAINS * OPERATIONS + (sum[0] == 1);
}
