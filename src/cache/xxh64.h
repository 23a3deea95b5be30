// XXH64 (Y. Collet, xxHash specification 0.1.1): a checksum of 64 bits at memory speed. With a secret seed
// nobody who does not see its results can make octets that fit; it is no message authentication code.
#pragma once

#include <xxhash.h>

#include <cstdint>

#include "base/bytes.h"

namespace peregrine {

inline uint64_t xxh64(Bytes data, uint64_t seed) { return XXH64(data.data(), data.size(), seed); }

}  // namespace peregrine
