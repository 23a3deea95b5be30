// Which query is sent next.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"

namespace peregrine {

// Draws index i of [0, size) with a probability in proportion to 1 / (i + 1)^exponent, in constant time:
// Walker's alias method in Vose's form (IEEE Transactions on Software Engineering 17 (9), 1991).
class ZipfTable {
 public:
  ZipfTable(uint32_t size, double exponent);  // size > 0, exponent >= 0
  uint32_t draw(uint64_t random) const {      // 64 random bits
    const auto column = static_cast<uint32_t>((random >> 32) * columns_.size() >> 32);
    const Column& at = columns_[column];
    return static_cast<uint32_t>(random) < at.own ? column : at.other;
  }
  double probability(uint32_t index) const;  // as the table has it; linear in the size

 private:
  struct Column {
    uint64_t own;    // of 2^32 random numbers as many stay in this column
    uint32_t other;  // the rest go there
  };
  std::vector<Column> columns_;
};

enum class Order : uint8_t { once, uniform, zipf };

class Draw {
 public:
  Draw(Order order, uint32_t size, double exponent, uint64_t seed);
  std::optional<uint32_t> next();  // nothing: `once` is through
  // How many next() will give; nothing: no end.
  std::optional<uint64_t> remaining() const;

 private:
  Order order_;
  uint32_t size_;
  uint32_t at_ = 0;
  Random random_;
  std::optional<ZipfTable> zipf_;
};

}  // namespace peregrine
