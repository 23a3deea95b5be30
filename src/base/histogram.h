// A latency histogram: log-linear buckets, so that a quantile is within 1 % whatever the scale.
// After HdrHistogram (Tene); one writer, any readers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace peregrine {

class Histogram {
 public:
  void record(Duration value);         // negative counts as 0; over ~18 minutes counts as that
  void merge(const Histogram& other);  // adds other's counts; only the writer of *this may call it
  uint64_t count() const;
  Duration quantile(double q) const;  // 0 <= q <= 1; zero when empty
  static size_t bucket_of(uint64_t nanos);
  static uint64_t midpoint_of(size_t bucket);

 private:
  static constexpr unsigned sub_bits = 6;       // 64 buckets an octave: 0.8 % half width
  static constexpr unsigned max_exponent = 40;  // 2^40 ns
  static constexpr size_t bucket_count = (max_exponent - sub_bits + 1) << sub_bits;
  std::array<std::atomic<uint64_t>, bucket_count> buckets_{};
};

}  // namespace peregrine
