// Who may ask: an immutable list of address ranges.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"

namespace peregrine {

class AccessList {
 public:
  explicit AccessList(std::span<const Prefix> allowed);

  // `address`: 4 octets (IPv4) or 16 (IPv6) in network order. O(log n) in the number of ranges, no
  // allocation.
  bool allows(Bytes address) const {
    return address.size() == 4 ? allows_v4(address.data()) : search(address);
  }
  // The same of the four octets at `address`.
  bool allows_v4(const uint8_t* address) const {
    const Verdict verdict = by_first_octet_[address[0]];
    return verdict == Verdict::some ? search(Bytes(address, 4)) : verdict == Verdict::all;
  }

 private:
  bool search(Bytes address) const;

  // Disjoint ranges, both ends included, in order: one binary search decides.
  struct V4 {
    uint32_t first, last;
  };
  using Wide = std::pair<uint64_t, uint64_t>;
  struct V6 {
    Wide first, last;
  };

  // What the first octet of an IPv4 address decides, which for most it does.
  enum class Verdict : uint8_t { none, some, all };
  Verdict verdict_of(uint8_t first_octet) const;

  std::vector<V4> v4_;
  std::vector<V6> v6_;
  std::array<Verdict, 256> by_first_octet_{};
};

}  // namespace peregrine
