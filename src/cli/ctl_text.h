// The replies of the control socket as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace peregrine {

// Each throws nlohmann::json::exception where the reply has not the form that this version knows.
std::string status_text(const nlohmann::json& reply);
std::string flags_text(const nlohmann::json& reply);
std::string upstreams_text(const nlohmann::json& reply);
std::string reload_text(const nlohmann::json& reply);

}  // namespace peregrine
