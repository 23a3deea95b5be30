#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace peregrine {

// Values below 2^sub_bits have a bucket each; above, each power of two is cut in 2^sub_bits equal buckets.
size_t Histogram::bucket_of(uint64_t nanos) {
  nanos = std::min(nanos, (uint64_t{1} << max_exponent) - 1);
  if (nanos >> sub_bits == 0) return nanos;
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanos)) - 1 - sub_bits;
  const uint64_t sub = (nanos >> shift) & ((1U << sub_bits) - 1);
  return (size_t{shift + 1} << sub_bits) + sub;
}

uint64_t Histogram::midpoint_of(size_t bucket) {
  bucket = std::min(bucket, bucket_count - 1);
  if (bucket >> sub_bits == 0) return bucket;
  const size_t shift = (bucket >> sub_bits) - 1;
  const uint64_t sub = bucket & ((1U << sub_bits) - 1);
  const uint64_t low = ((uint64_t{1} << sub_bits) + sub) << shift;
  return low + ((uint64_t{1} << shift) >> 1);
}

void Histogram::record(Duration value) {
  auto& bucket = buckets_[bucket_of(static_cast<uint64_t>(std::max<Duration::rep>(value.count(), 0)))];
  bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Histogram::merge(const Histogram& other) {
  for (size_t i = 0; i < bucket_count; ++i) {
    const uint64_t added = other.buckets_[i].load(std::memory_order_relaxed);
    buckets_[i].store(buckets_[i].load(std::memory_order_relaxed) + added, std::memory_order_relaxed);
  }
}

uint64_t Histogram::count() const {
  uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

Duration Histogram::quantile(double q) const {
  const uint64_t total = count();
  if (total == 0) return Duration::zero();
  const double share = q > 0 ? std::min(q, 1.0) : 0;  // a NaN too
  const double rank = std::ceil(share * static_cast<double>(total));
  uint64_t left = std::clamp<uint64_t>(static_cast<uint64_t>(rank), 1, total);
  for (size_t i = 0; i < bucket_count; ++i) {
    const uint64_t here = buckets_[i].load(std::memory_order_relaxed);
    if (here >= left) return Duration{midpoint_of(i)};
    left -= here;
  }
  return Duration{midpoint_of(bucket_count - 1)};
}

}  // namespace peregrine
