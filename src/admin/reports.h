// What a server tells of itself, as JSON. Times carry their unit in the key's name.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "server/server.h"

namespace peregrine {

nlohmann::json report_status(const Server& server);
nlohmann::json report_flags(const FlagSet& flags);
nlohmann::json report_reload(const ReloadReport& report);
// By worker.
nlohmann::json report_upstreams(std::span<const std::vector<UpstreamStatus>> workers);

}  // namespace peregrine
