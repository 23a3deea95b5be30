// The made-up names that are asked for, and what is right to answer: one rule for the generator and the
// upstream, so that any server between them can be checked without a zone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/dname.h"

namespace peregrine {

// Octets enough for any made-up name.
inline constexpr size_t max_made_up_size = 64;

// Writes the name of this number and returns its octets: below bench.example., or where it is to be denied
// below none.bench.example.; of the lengths that names have, and another for each number.
size_t write_made_up_name(uint32_t number, bool denied, std::span<uint8_t, max_made_up_size> out);
DnameBuf made_up_name(uint32_t number, bool denied = false);

// There are no names below none.bench.example., and all others exist.
bool is_denied(Dname qname);
// Of those that exist: 10.0.0.0/8, from the name's octets without their case.
uint32_t address_of_name(Dname qname);

}  // namespace peregrine
