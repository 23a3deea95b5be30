// The version, as the build system knows it.
#pragma once

#include <string_view>

namespace peregrine {
inline constexpr std::string_view version = PEREGRINE_VERSION;
}
