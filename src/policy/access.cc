#include "policy/access.h"

#include <algorithm>

namespace peregrine {
namespace {

// The low `64 - bits` bits set, for bits in 0..64.
uint64_t host_bits(unsigned bits) { return bits == 0 ? ~0ull : bits >= 64 ? 0 : ~0ull >> bits; }

// Sorted by `first`; a range that begins within the one before it is swallowed by it.
template <class Range>
void merge(std::vector<Range>& ranges) {
  std::ranges::sort(ranges, {}, &Range::first);
  size_t kept = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[kept].last) {
      ranges[kept].last = std::max(ranges[kept].last, ranges[i].last);
    } else {
      ranges[++kept] = ranges[i];
    }
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
}

template <class Range, class Value>
bool holds(const std::vector<Range>& ranges, const Value& value) {
  auto after = std::ranges::upper_bound(ranges, value, {}, &Range::first);
  return after != ranges.begin() && value <= std::prev(after)->last;
}

}  // namespace

AccessList::AccessList(std::span<const Prefix> allowed) {
  for (const Prefix& prefix : allowed) {
    const uint8_t* octets = prefix.address.octets().data();
    if (prefix.address.family() == Family::v4) {
      uint32_t first = load_u32(octets);
      v4_.push_back({first, first | static_cast<uint32_t>(host_bits(prefix.length + 32u))});
    } else {
      Wide first{load_u64(octets), load_u64(octets + 8)};
      unsigned high = std::min<unsigned>(prefix.length, 64), low = prefix.length - high;
      v6_.push_back({first, {first.first | host_bits(high), first.second | host_bits(low)}});
    }
  }
  merge(v4_);
  merge(v6_);
  for (unsigned octet = 0; octet < by_first_octet_.size(); ++octet) {
    by_first_octet_[octet] = verdict_of(static_cast<uint8_t>(octet));
  }
}

AccessList::Verdict AccessList::verdict_of(uint8_t first_octet) const {
  const uint32_t first = uint32_t{first_octet} << 24, last = first | 0x00ffffff;
  for (const V4& range : v4_) {
    if (range.first <= first && last <= range.last) return Verdict::all;
    if (range.first <= last && first <= range.last) return Verdict::some;
  }
  return Verdict::none;
}

bool AccessList::search(Bytes address) const {
  if (address.size() == 4) return holds(v4_, load_u32(address.data()));
  if (address.size() != 16) return false;
  return holds(v6_, Wide{load_u64(address.data()), load_u64(address.data() + 8)});
}

}  // namespace peregrine
