// How DNS messages reach us.
#pragma once

#include <cstdint>

namespace peregrine {

enum class Transport : uint8_t { udp, tcp };

}  // namespace peregrine
