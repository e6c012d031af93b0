// Ports of a Verilated Amaranth design, and the fields of those that hold a structure. layout.h,
// which is generated (reveille.sim.rtl), defines Field.

#pragma once

#include <cstdint>
#include <type_traits>

#include "layout.h"

// Amaranth joins the names of a port's members by two underscores, which Verilator spells ___05F.
#define PORT2(a, b) a##___05F##b
#define PORT3(a, b, c) a##___05F##b##___05F##c

template <typename Port>
inline uint32_t get(const Port& port, Field field) {
    const uint64_t mask = (uint64_t{1} << field.width) - 1;
    if constexpr (std::is_integral_v<Port>) {
        return static_cast<uint32_t>((uint64_t{port} >> field.offset) & mask);
    } else {
        const unsigned word = field.offset / 32, shift = field.offset % 32;
        uint64_t bits = port[word];
        if (shift + field.width > 32) bits |= uint64_t{port[word + 1]} << 32;
        return static_cast<uint32_t>((bits >> shift) & mask);
    }
}

template <typename Port>
inline void set(Port& port, Field field, uint32_t value) {
    const uint64_t mask = (uint64_t{1} << field.width) - 1;
    if constexpr (std::is_integral_v<Port>) {
        const uint64_t kept = uint64_t{port} & ~(mask << field.offset);
        port = static_cast<Port>(kept | ((value & mask) << field.offset));
    } else {
        const unsigned word = field.offset / 32, shift = field.offset % 32;
        const bool spills = shift + field.width > 32;
        uint64_t bits = port[word];
        if (spills) bits |= uint64_t{port[word + 1]} << 32;
        bits = (bits & ~(mask << shift)) | ((value & mask) << shift);
        port[word] = static_cast<uint32_t>(bits);
        if (spills) port[word + 1] = static_cast<uint32_t>(bits >> 32);
    }
}
