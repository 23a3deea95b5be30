// What the fuzz targets share.
#pragma once

#include <cstdlib>

#include "base/bytes.h"

namespace peregrine {

// A property that must hold for any input: where it does not, the fuzzer keeps the input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Choices drawn from the input, zeros once it is used up.
class Script {
 public:
  explicit Script(Bytes input) : input_(input) {}

  bool at_end() const { return input_.empty(); }
  uint8_t u8() { return input_.empty() ? uint8_t{0} : take(1)[0]; }
  uint16_t u16() {
    int high = u8() << 8;
    return static_cast<uint16_t>(high | u8());
  }
  Bytes take(size_t n) {
    n = n < input_.size() ? n : input_.size();
    Bytes taken = input_.first(n);
    input_ = input_.subspan(n);
    return taken;
  }

 private:
  Bytes input_;
};

}  // namespace peregrine
