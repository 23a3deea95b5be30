// What `peregrine bench` prints.
#pragma once

#include <optional>
#include <string>

#include "load/load_options.h"

namespace peregrine {

// What the server's process used while it was under load.
struct ServerUse {
  Duration cpu{};
  uint64_t rss_octets = 0;
};

std::string load_text(const LoadResult& result,
                      const std::optional<ServerUse>& server);  // lines for a person
std::string load_json(const LoadResult& result, const std::optional<ServerUse>& server);  // one line
std::string progress_text(const LoadProgress& progress);  // a line for a terminal, without its end

}  // namespace peregrine
