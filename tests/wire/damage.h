// Random damage to a packet, from a seed: a few octets changed, cut off or put in.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace peregrine {

inline void damage(std::vector<uint8_t>& octets, Random& random) {
  for (uint32_t left = 1 + random.below(4); left > 0 && !octets.empty(); --left) {
    uint32_t at = random.below(static_cast<uint32_t>(octets.size()));
    switch (random.below(6)) {
      case 0:
        octets[at] ^= static_cast<uint8_t>(1 << random.below(8));
        break;
      case 1:
        octets[at] = static_cast<uint8_t>(random.u16());
        break;
      case 2:
        octets.resize(at);
        break;
      case 3:
        octets.insert(octets.begin() + at, static_cast<uint8_t>(random.u16()));
        break;
      case 4:
        octets[at] = static_cast<uint8_t>(0xc0 | random.below(2));
        break;
      default:
        octets[at] = static_cast<uint8_t>(random.below(64));
        break;
    }
  }
}

}  // namespace peregrine
