// The replies about the cache as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace peregrine {

// Each throws nlohmann::json::exception where the reply has not the form that this version knows.
std::string cache_stats_text(const nlohmann::json& reply);
std::string cache_dump_heading();
std::string cache_entry_text(const nlohmann::json& entry);  // one line of a dump
std::string cache_dump_text(const nlohmann::json& reply);   // what follows the entries
std::string cache_flush_text(const nlohmann::json& reply);

}  // namespace peregrine
