#include "admin/reports.h"

#include <nlohmann/json.hpp>

namespace peregrine {
namespace {

using nlohmann::json;

double in_milliseconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::duration<double, std::milli>>(time).count();
}

json list_servers(std::span<const Endpoint> servers) {
  json list = json::array();
  for (const Endpoint& server : servers) list.push_back(server.to_string());
  return list;
}

json report_counters(const ServerStatus& status) {
  json counters = json::object();
  for (const CounterRow& row : counter_rows()) {
    counters[std::string(row.name)] = status.counters[static_cast<size_t>(row.counter)];
  }
  return counters;
}

json report_cache(const StoreStats& cache) {
  return {{"entries", cache.entries},   {"octets", cache.octets},     {"capacity", cache.capacity},
          {"inserted", cache.inserted}, {"replaced", cache.replaced}, {"removed", cache.removed},
          {"evicted", cache.evicted},   {"expired", cache.expired},   {"refused", cache.refused}};
}

json report_cache_file(const std::optional<CacheFileStats>& file) {
  if (!file) return nullptr;
  const LoadCounts& entries = file->entries;
  return {{"loading", file->loading},
          {"writing", file->writing},
          {"set_aside", file->set_aside},
          {"loaded", entries.loaded},
          {"load_ms", in_milliseconds(file->load_time)},
          {"superseded", entries.superseded},
          {"expired", entries.expired},
          {"removed", entries.removed},
          {"malformed", entries.malformed + entries.from_future},
          {"from_future", entries.from_future},
          {"dropped_segments", file->dropped_segments()},
          {"damaged_headers", file->damaged_headers},
          {"damaged_contents", file->damaged_contents},
          {"unknown_removals", file->unknown_removals},
          {"segments_written", file->segments_written},
          {"entries_written", file->entries_written},
          {"octets_written", file->octets_written},
          {"octets_waiting", file->octets_waiting}};
}

}  // namespace

json report_status(const Server& server) {
  const ServerStatus status = server.status();
  json forwarding = json::array();
  for (const ForwardTable::Zone& zone : status.forwarding) {
    forwarding.push_back({{"zone", zone.zone.to_string()}, {"servers", list_servers(zone.servers)}});
  }
  return {
      {"ok", true},
      {"version", status.version},
      {"pid", status.pid},
      {"uptime_s", in_milliseconds(status.uptime) / 1000},
      {"profile", to_string(server.config().profile)},
      {"state_dir", server.state_dir()},
      {"listening", status.listening},
      {"forwarding", std::move(forwarding)},
      {"workers", status.workers},
      {"generation", status.generation},
      {"drain_s", server.config().server.drain_seconds},
      {"counters", report_counters(status)},
      {"cache", report_cache(status.cache)},
      {"cache_file", report_cache_file(status.cache_file)},
      {"resolved",
       {{"p50_ms", in_milliseconds(status.resolved_p50)}, {"p99_ms", in_milliseconds(status.resolved_p99)}}}};
}

json report_flags(const FlagSet& flags) {
  json list = json::array();
  for (const FlagRow& row : flag_rows()) {
    list.push_back({{"name", row.name},
                    {"on", flags.on(row.flag)},
                    {"wanted", flags.wanted(row.flag)},
                    {"origin", to_string(flags.origin(row.flag))},
                    {"unavailable", unavailable(row.flag)},
                    {"scope", row.scope == FlagScope::live ? "live" : "process"},
                    {"summary", row.summary},
                    {"baseline", row.baseline}});
  }
  return {{"ok", true}, {"flags", std::move(list)}};
}

json report_reload(const ReloadReport& report) {
  json reply{{"ok", report.accepted}, {"errors", report.errors}, {"need_restart", report.need_restart}};
  if (!report.accepted) reply["error"] = "the new configuration was not taken; the running one stays";
  return reply;
}

json report_upstreams(std::span<const std::vector<UpstreamStatus>> workers) {
  json list = json::array();
  for (size_t worker = 0; worker < workers.size(); ++worker) {
    for (const UpstreamStatus& upstream : workers[worker]) {
      list.push_back({{"server", upstream.server.to_string()},
                      {"worker", worker},
                      {"srtt_ms", in_milliseconds(upstream.health.srtt)},
                      {"timeout_ms", in_milliseconds(upstream.health.timeout())},
                      {"failures", upstream.health.failures},
                      {"useless", upstream.health.useless},
                      {"resting", upstream.resting}});
    }
  }
  return {{"ok", true}, {"upstreams", std::move(list)}};
}

}  // namespace peregrine
