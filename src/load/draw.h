// Which query is sent next.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "load/queries.h"

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
    uint32_t own;    // of 2^32 random numbers as many stay in this column
    uint32_t other;  // the rest go there; that is this column itself where it is full
  };
  std::vector<Column> columns_;
};

enum class Order : uint8_t { once, uniform, zipf };

struct DrawOptions {
  Order order = Order::uniform;
  double zipf_exponent = 1.0;
  uint64_t seed = 1;
  double denied_share = 0;  // of the queries; they are for the twin that does not exist
  double once_share = 0;    // of the queries; each has an index of its own, from `size` on
};

// Endless, but for `once`. The two shares are drawn for each query, whatever its index is.
class Draw {
 public:
  Draw(const DrawOptions& options, uint32_t size);  // size > 0
  std::optional<Drawn> next();                      // nothing: `once` is through
  bool is_through() const { return options_.order == Order::once && at_ == size_; }

 private:
  uint32_t index();

  DrawOptions options_;
  uint32_t size_;
  uint32_t at_ = 0;  // the next of `once`
  uint32_t asked_once_ = 0;
  Random random_;
  std::optional<ZipfTable> zipf_;
};

}  // namespace peregrine
